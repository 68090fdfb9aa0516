use std::fmt;

use gt_core::agency::AgencyCode;
use gt_core::statement::PublisherId;
use tokio::runtime::{Builder, Runtime};

use super::{Answer, ChainEnd, ClientError};
use crate::nats::{Exchange, Intake, IntakeError, NatsOptions, Patience};

/// A ledger over NATS, as one publisher of one agency sees it.
pub(super) struct NatsLedger {
    publisher: PublisherId,
    /// The servers, as people are told.
    address: String,
    intake: Intake,
    /// Its one thread keeps the connection alive between calls. It is only taken out when this is dropped.
    runtime: Option<Runtime>,
}

impl fmt::Debug for NatsLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsLedger").field("intake", &self.intake).finish_non_exhaustive()
    }
}

impl Drop for NatsLedger {
    fn drop(&mut self) {
        // Nothing is left to be sent, and waiting would panic where this is dropped within another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl NatsLedger {
    pub(super) fn new(
        options: NatsOptions,
        agency: AgencyCode,
        publisher: PublisherId,
        patience: Patience,
    ) -> Result<Self, ClientError> {
        options.check().map_err(IntakeError::from)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("nats").enable_all().build();
        let runtime = Some(runtime.map_err(ClientError::Runtime)?);
        let address = options.shown();
        Ok(Self {
            publisher,
            address,
            intake: Intake::new(Exchange::new(options, patience), agency),
            runtime,
        })
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// Where the chain of this publisher, or of another one of the agency, ends.
    pub(super) fn chain_end(&self, publisher: Option<&PublisherId>) -> Result<ChainEnd, ClientError> {
        self.wait(self.intake.chain_end(publisher.unwrap_or(&self.publisher)))
    }

    pub(super) fn submit<S: AsRef<str>>(&self, statements: &[S]) -> Result<Vec<Answer>, ClientError> {
        self.wait(self.intake.submit(&self.publisher, statements))
    }

    fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is taken out by drop alone").block_on(call)
    }
}
