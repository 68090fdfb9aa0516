//! Bad input gets a precise problem, repeats nothing of what came in, and costs nobody anything: the log does not grow,
//! and the publisher's next good statement is sealed.

mod authority;
mod chains;
mod form;
mod reading;
mod transport;
mod written;

use gt_core::json::Value;
use gt_core::statement::Statement;

use crate::partnership::{Client, Home, Publisher, Reply, Server, child, decision};
use written::Written;

/// Stands in everything that is written to be refused, so that it can be looked for in answers and logs.
const PLANTED: &str = "Marigold";

/// What is wrong, the status and the code that say so, and how a sound decision becomes it.
type Spoilt = (&'static str, u16, &'static str, fn(Written) -> Written);

/// A ledger with a publisher whose statements are spoilt before they are sent.
struct Spoiler {
    home: Home,
    server: Server,
    client: Client,
    publisher: Publisher,
    day: u64,
}

impl Spoiler {
    fn new() -> Self {
        let home = Home::new();
        let publisher = home.enrol("council", "gss:E06000999", None);
        let server = home.serve();
        Self { client: server.client(), home, server, publisher, day: 0 }
    }

    /// A sound decision at the publisher's next place, taken apart to be spoilt.
    fn written(&mut self) -> Written {
        Written::of(&self.publisher.peek("decision.recorded", &decision()))
    }

    /// The publisher's next good statement is sealed, with a receipt that holds.
    fn next_is_sealed(&mut self) -> Statement {
        self.day += 1;
        let statement = self.publisher.next(&child(self.day % 5), self.day);
        let size = self.client.size();
        let reply = self.client.publish(&statement);
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(self.home.prove(reply.text(), statement.hash()).entry.index.0, size);
        statement
    }

    /// These bytes are refused for this reason. Returns the problem.
    fn refused(&mut self, what: &str, status: u16, code: &str, body: &[u8]) -> serde_json::Value {
        let (size, head) = (self.client.size(), self.client.head(&self.publisher.id));
        let reply = self.client.publish_text(body);
        assert_eq!((reply.status, reply.problem().as_str()), (status, code), "{what}: {}", reply.text());
        repeats_nothing(what, &reply);
        assert_eq!(self.client.size(), size, "{what}: the log has grown");
        assert_eq!(self.client.head(&self.publisher.id), head, "{what}: the chain has moved");
        self.next_is_sealed();
        reply.json()
    }

    /// Everything of a table is refused, and nothing of it is in the server's log.
    fn all_refused(mut self, table: &[Spoilt]) {
        for (what, status, code, spoil) in table {
            let written = spoil(self.written());
            let body = written.signed_by(&self.publisher.key);
            self.refused(what, *status, code, &body);
        }
        self.log_repeats_nothing();
        self.server.stop();
    }

    /// The server's own log has nothing of any statement. To be asked at the end.
    fn log_repeats_nothing(&self) {
        let log = self.server.process.log_text();
        for private in private_texts() {
            assert!(!log.contains(&private), "{private:?} stands in the server's log");
        }
    }
}

fn repeats_nothing(what: &str, reply: &Reply) {
    for private in private_texts() {
        assert!(!reply.text().contains(&private), "{what}: {private:?} is repeated: {}", reply.text());
    }
}

/// What nobody may find in an answer or a log: everything that the decision says and that is no code.
fn private_texts() -> Vec<String> {
    let mut texts = vec![PLANTED.to_owned(), PLANTED.to_lowercase(), child(0), child(1)];
    gather(&decision(), &mut texts);
    assert!(texts.len() > 20, "the example says a lot");
    texts
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // Codes and agencies stand in the clear, and a problem may name the codes that there are.
            let is_code = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_code && !text.starts_with("gss:") {
                texts.push(text.clone());
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| gather(element, texts)),
        Value::Object(members) => members.iter().for_each(|(_, member)| gather(member, texts)),
        _ => {}
    }
}
