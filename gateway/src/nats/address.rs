use async_nats::ServerAddr;

use super::ConnectError;

/// The most servers that one list may name.
const MAX_SERVERS: usize = 32;

/// Whether an address is NATS's rather than HTTP's.
pub(crate) fn is_nats(address: &str) -> bool {
    ["nats://", "tls://"].iter().any(|scheme| address.starts_with(scheme))
}

/// Reads `nats://HOST[:PORT]` or `tls://HOST[:PORT]`, or several of them with commas between. An address that carries a user,
/// a password or a token is refused, by an error that does not repeat it: command lines are shown by `ps` and kept in histories.
pub fn parse_servers(text: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let texts: Vec<&str> = text.split(',').map(str::trim).collect();
    if texts.len() > MAX_SERVERS {
        return Err(ConnectError::Address { position: MAX_SERVERS + 1 });
    }
    texts.iter().enumerate().map(|(at, text)| parse_server(text, at + 1)).collect()
}

fn parse_server(text: &str, position: usize) -> Result<ServerAddr, ConnectError> {
    let refused = ConnectError::Address { position };
    if text.contains('@') {
        return Err(ConnectError::SecretInAddress { position });
    }
    if !is_nats(text) {
        return Err(refused);
    }
    let Ok(server) = text.parse::<ServerAddr>() else { return Err(refused) };
    let url = server.clone().into_inner();
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if bare && !server.host().is_empty() { Ok(server) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_nats_or_tls_with_a_host_and_nothing_else() {
        let servers = parse_servers("nats://one.example, tls://10.0.0.1:5222,nats://[::1]:4222/").unwrap();
        let read: Vec<_> = servers.iter().map(|s| (s.host(), s.port(), s.tls_required())).collect();
        assert_eq!(read, [("one.example", 4222, false), ("10.0.0.1", 5222, true), ("::1", 4222, false)]);
        for (bad, at) in [
            ("", 1),
            ("one.example:4222", 1),
            ("nats://", 1),
            ("ws://one.example", 1),
            ("http://one.example", 1),
            ("nats://one.example/a", 1),
            ("nats://one.example?token=x", 1),
            ("nats://one.example:99999", 1),
            ("nats://one.example,", 2),
        ] {
            let refused = parse_servers(bad).unwrap_err();
            assert!(matches!(refused, ConnectError::Address { position } if position == at), "{bad}");
        }
        assert!(parse_servers(&["nats://a"; MAX_SERVERS].join(",")).is_ok());
        assert!(parse_servers(&["nats://a"; MAX_SERVERS + 1].join(",")).is_err());
    }

    #[test]
    fn a_secret_in_an_address_is_refused_and_not_repeated() {
        for text in ["nats://a,nats://user:s3cret@b", "nats://a,tls://s3cret@b", "nats://a,s3cret@"] {
            let refused = parse_servers(text).unwrap_err();
            assert!(matches!(refused, ConnectError::SecretInAddress { position: 2 }), "{refused}");
            assert!(!format!("{refused} {refused:?}").contains("s3cret"));
        }
    }
}
