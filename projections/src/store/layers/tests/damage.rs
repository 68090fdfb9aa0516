//! Whatever is done to a layout or to the file of a run is noticed.

use proptest::sample::Index;

use super::*;

/// Layers with some runs, closed.
fn with_runs() -> (Place, Vec<Row>) {
    let place = Place::new();
    let layers = place.open();
    for number in 0..3 {
        let about = |id: u8| ([b"a", &[id; 16][..], &[number]].concat(), Some(vec![number; 90]));
        layers.apply((number..number + 40).map(about).collect()).unwrap();
    }
    layers.settle().unwrap();
    let rows = all(&layers, usize::MAX, false);
    drop(layers);
    (place, rows)
}

fn read_all(place: &Place) -> Result<Vec<Row>, StoreError> {
    let span = Span { from: &[], to: &[0xff; 64], most: usize::MAX, backwards: false };
    place.try_open().and_then(|layers| Ok(layers.span(span)?.0))
}

#[test]
fn a_damaged_layout_is_noticed() {
    for damage in [&b""[..], b"\x05\x01\x01x", &[0xff; 40]] {
        let (place, _) = with_runs();
        place.tree.insert(LAYOUT, damage).unwrap();
        assert!(matches!(read_all(&place), Err(StoreError::Damaged { .. })), "{damage:?}");
    }
}

#[test]
fn a_run_that_is_not_there_or_another_is_noticed() {
    let (place, rows) = with_runs();
    assert!(read_all(&place).unwrap() == rows);
    let files = place.files();
    assert!(files.len() > 2);
    let first = fs::read(&files[0]).unwrap();
    fs::write(&files[0], fs::read(&files[2]).unwrap()).unwrap();
    assert!(matches!(read_all(&place), Err(StoreError::Damaged { .. })));
    fs::write(&files[0], &first).unwrap();
    assert!(read_all(&place).unwrap() == rows);
    fs::remove_file(&files[0]).unwrap();
    assert!(matches!(read_all(&place), Err(StoreError::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_is_damaged_anywhere_is_noticed(file: Index, at: Index, bit in 0..8_u8, is_cut: bool) {
        let (place, _) = with_runs();
        let files = place.files();
        let file = &files[file.index(files.len())];
        let mut bytes = fs::read(file).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        bytes.truncate(if is_cut { at } else { bytes.len() });
        fs::write(file, bytes).unwrap();
        let is_noticed = matches!(read_all(&place), Err(StoreError::Damaged { .. }));
        prop_assert!(is_noticed, "{file:?} at {at}");
    }
}
