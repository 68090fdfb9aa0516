//! Fetching a log's files from wherever they are served.

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use ureq::Body;
use ureq::http::Response;
use ureq::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap};

/// How long one file may take.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);
/// What a file may be sent as. A log may compress it without being asked (C2SP tlog-tiles).
const ENCODINGS: &str = "gzip, identity";
/// So many bytes more than it holds a compressed file may take: what does not compress grows by less.
const COMPRESSED_OVERHEAD: usize = 4096;

type Failed = Box<dyn Error + Send + Sync>;

/// Fetches files below a URL, as `gt_ledger::audit::Fetch` has it.
pub(crate) fn fetcher(url: &str) -> impl Fn(&str, usize) -> Result<Option<Vec<u8>>, Failed> + use<> {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(FETCH_TIMEOUT));
    let (agent, base) = (ureq::Agent::from(config.build()), url.trim_end_matches('/').to_owned());
    move |path, limit| {
        let response = agent.get(format!("{base}/{path}")).header(ACCEPT_ENCODING, ENCODINGS).call()?;
        match response.status().as_u16() {
            200 => read(response, limit).map(Some),
            404 => Ok(None),
            status => Err(format!("status {status}").into()),
        }
    }
}

/// What was sent, uncompressed, or its first `limit` + 1 bytes. Both are bounded: what comes in, and what it becomes.
fn read(response: Response<Body>, limit: usize) -> Result<Vec<u8>, Failed> {
    let encoding = encoding(response.headers());
    let most = limit + limit / 64 + COMPRESSED_OVERHEAD;
    let sent = response.into_body().into_with_config().limit(most as u64).reader();
    let mut bytes = Vec::new();
    match encoding.as_str() {
        "" | "identity" => sent.take(limit as u64 + 1).read_to_end(&mut bytes)?,
        "gzip" | "x-gzip" => MultiGzDecoder::new(sent).take(limit as u64 + 1).read_to_end(&mut bytes)?,
        // Taken for the file itself, it would be a fault of the log's.
        _ => {
            return Err(format!(
                "it is sent with the content encoding {encoding:?}, which was not asked for"
            )
            .into());
        }
    };
    Ok(bytes)
}

fn encoding(headers: &HeaderMap) -> String {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.join(", ").trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Answers one request after the other with these bodies in these encodings, and returns where.
    fn serve(answers: Vec<(&'static str, Vec<u8>)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for ((encoding, body), stream) in answers.into_iter().zip(listener.incoming()) {
                let mut stream = stream.expect("a connection");
                let head = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
                let asked =
                    head.iter().any(|line| line.eq_ignore_ascii_case("accept-encoding: gzip, identity"));
                assert!(asked, "{head:?}");
                let length = body.len();
                // Whoever has read enough is gone.
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\n{encoding}content-length: {length}\r\nconnection: close\r\n\r\n"
                )
                .and_then(|()| stream.write_all(&body));
            }
        });
        url
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn a_file_that_is_sent_compressed_is_the_file() {
        let file: Vec<u8> =
            (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let (one, other) = file.split_at(70_000);
        let url = serve(vec![
            ("", file.clone()),
            ("content-encoding: identity\r\n", file.clone()),
            ("content-encoding: gzip\r\n", gzip(&file)),
            ("content-encoding: X-Gzip\r\n", [gzip(one), gzip(other)].concat()),
        ]);
        let fetch = fetcher(&url);
        for _ in 0..4 {
            assert!(fetch("tile/entries/000", file.len()).expect("read") == Some(file.clone()));
        }
    }

    #[test]
    fn a_limit_is_one_of_what_a_file_holds() {
        let long = vec![7; 10_000_000];
        let url = serve(vec![
            ("content-encoding: gzip\r\n", gzip(&long)),
            ("", long[..1000].to_vec()),
            ("content-encoding: gzip\r\n", gzip(b"").repeat(1000)),
        ]);
        let fetch = fetcher(&url);
        for _ in 0..2 {
            assert_eq!(fetch("checkpoint", 100).expect("read"), Some(vec![7; 101]), "so much, and one more");
        }
        assert!(fetch("checkpoint", 100).is_err(), "what never becomes anything");
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_the_file() {
        let cut = gzip(b"a file")[..12].to_vec();
        let url = serve(vec![
            ("content-encoding: br\r\n", b"something".to_vec()),
            ("content-encoding: gzip\r\ncontent-encoding: br\r\n", gzip(b"something")),
            ("content-encoding: gzip\r\n", cut),
            ("content-encoding: gzip\r\n", b"no gzip at all".to_vec()),
        ]);
        let fetch = fetcher(&url);
        let refused = fetch("checkpoint", 100).expect_err("not asked for").to_string();
        assert!(refused.contains("\"br\""), "{refused}");
        for _ in 0..3 {
            assert!(fetch("checkpoint", 100).is_err());
        }
    }
}
