//! What happens to the views' files while nobody serves them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::partnership::Random;

/// Damages one of the files with rows, sled's or another, drawn at random, and says what was done.
pub(crate) fn damage_views(views: &Path, random: &mut Random) -> String {
    let mut files = Vec::new();
    let mut left = vec![views.join("rows.sled"), views.join("rows.runs")];
    while let Some(folder) = left.pop() {
        for item in fs::read_dir(&folder).expect("a folder") {
            let item = item.expect("a readable folder").path();
            if item.is_dir() { left.push(item) } else { files.push(item) }
        }
    }
    // sled's main file, without which nothing can be read, more often than others.
    let main = files.iter().position(|file| file.ends_with("db")).expect("sled's main file");
    let drawn = usize::try_from(random.below(files.len() as u64)).expect("few files");
    let file: &PathBuf = &files[if random.once_in(3) { main } else { drawn }];
    let name = file.strip_prefix(views).expect("below it").display().to_string();
    let mut bytes = fs::read(file).expect("a file");
    let place = |random: &mut Random, len: usize| {
        usize::try_from(random.below(len.max(1) as u64)).expect("it fits in memory")
    };
    let what = match random.below(4) {
        0 => {
            fs::remove_file(file).expect("removed");
            return format!("{name} removed");
        }
        1 => {
            bytes.truncate(place(random, bytes.len()));
            "cut short".to_owned()
        }
        2 => {
            let count = 1 + random.below(64);
            for _ in 0..count.min(bytes.len() as u64) {
                let at = place(random, bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            format!("{count} bits flipped")
        }
        _ => {
            let from = place(random, bytes.len());
            let to = bytes.len().min(from + 4096);
            bytes[from..to].fill(0);
            "a page of it zero".to_owned()
        }
    };
    fs::write(file, bytes).expect("written");
    format!("{name}: {what}")
}
