use super::{Client, Home, Process, path};

/// `goldenthread serve`, running.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) url: String,
    token: String,
}

impl Server {
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// The same, with more arguments.
    pub(crate) fn start_with(home: &Home, more: &[&str]) -> Self {
        let process = Self::launch(home, more);
        Self { url: process.listening(), process, token: home.token.clone() }
    }

    /// Starts the process without waiting for anything.
    pub(crate) fn launch(home: &Home, more: &[&str]) -> Process {
        let data = home.data();
        let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data)];
        Process::start([&arguments[..], more].concat(), &home.at("serve.log"))
    }

    /// Somebody without a token.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Somebody who may read people's data.
    pub(crate) fn analyst(&self) -> Client {
        Client::new(&self.url).with_token(&self.token)
    }

    /// SIGTERM, and an orderly end.
    pub(crate) fn stop(mut self) {
        self.process.signal("TERM");
        let status = self.process.ended();
        assert_eq!(status.code(), Some(0), "{}", self.process.log_text());
    }
}
