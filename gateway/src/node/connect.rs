use gt_ledger::jetstream::Prefix;
use gt_ledger::jetstream::setup::{Setup, SetupError};

use super::NodeError;
use crate::nats::{ConnectError, Line, NatsOptions};

/// Connects, and waits until somebody answers for the streams. What a server denies it will deny again, and says so to the connection
/// alone: without looking there, only the wait would end.
pub(crate) async fn connect(nats: &NatsOptions, prefix: &Prefix) -> Result<Setup, NodeError> {
    let line = Line::new();
    let client = nats.connect_on(&line).await?;
    let setup = Setup { client, prefix: prefix.clone() };
    tokio::select! {
        ready = setup.ready() => ready.map_err(SetupError::from)?,
        complaint = line.denial() => return Err(ConnectError::Denied { complaint }.into()),
    }
    Ok(setup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats::{NatsArgs, test_server::TestServer};

    #[test]
    fn what_the_server_denies_is_said_before_the_wait_ends() {
        let server = TestServer::start(
            r#"accounts { AGENCY { users = [
                { user: police, password: police, permissions: { publish: "gt.intake.police:12.*", subscribe: "_INBOX.>" } }
            ] } }
            no_auth_user: police"#,
        );
        let nats = NatsOptions::new(&server.url(), &NatsArgs::default(), "test").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(connect(&nats, &Prefix::default())).map(drop).unwrap_err();
        let NodeError::Connect(ConnectError::Denied { complaint }) = error else { panic!("{error}") };
        assert!(complaint.contains("$JS.API.STREAM.INFO.LEDGER"), "{complaint}");
    }
}
