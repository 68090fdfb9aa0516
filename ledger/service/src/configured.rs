//! The partnership's configuration as the log has it.

use std::sync::Arc;

use gt_core::LeafIndex;
use gt_core::json;
use gt_core::statement::Payload;
use gt_schemas::{Configuration, ConfigurationError};

use crate::values::Clear as _;

/// The configuration in force, and where it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The entry that sealed it; none if it is the standard one, because no configuration is sealed.
    pub index: Option<LeafIndex>,
    /// What it says.
    pub configuration: Arc<Configuration>,
}

impl Configured {
    /// The standard configuration, which no entry seals.
    pub(crate) fn standard() -> Self {
        Self { index: None, configuration: Arc::new(Configuration::standard()) }
    }

    /// What is in force after this statement of the registrar; none if it is no configuration.
    ///
    /// A sealed one that does not read changes nothing. This sealer seals none, so it is of a later version of this
    /// program; the log proves all the same, and `fsck` names it.
    pub(crate) fn after(index: LeafIndex, payload: &Payload) -> Option<Self> {
        match read(payload)? {
            Ok(configuration) => Some(Self { index: Some(index), configuration: Arc::new(configuration) }),
            Err(error) => {
                tracing::warn!(%index, %error, "a sealed configuration does not read; the one before stays in force");
                None
            }
        }
    }
}

/// Reads the configuration of a statement that seals one.
pub(crate) fn read(payload: &Payload) -> Option<Result<Configuration, ConfigurationError>> {
    let is_one =
        payload.event_type.as_str() == Configuration::TYPE && payload.version == Configuration::VERSION;
    is_one.then(|| Configuration::read(&payload.data.to_map().into()))
}

/// The configuration as the members of a statement's `data`.
pub(crate) fn to_members(configuration: &Configuration) -> json::Object {
    let text = configuration.to_json().to_string();
    let value =
        json::Value::parse(text.as_bytes()).expect("a configuration is strict JSON: it has been read");
    value.as_object().cloned().expect("a configuration is an object")
}
