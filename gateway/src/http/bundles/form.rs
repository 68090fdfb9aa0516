//! The form in which a bundle is answered.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use gt_core::bundle::{Bundle, MEDIA_TYPE};

use crate::evidence;
use crate::problem::Problem;

/// The forms of the answer.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Json,
    Html,
}

impl Form {
    pub(super) fn asked(format: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        match format {
            Some("json") => Ok(Self::Json),
            Some("html") => Ok(Self::Html),
            Some(_) => Err(Problem::bad_request("format is json or html")),
            None => Ok(Self::accepted(headers)),
        }
    }

    /// Whichever is named first; browsers name HTML.
    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let named = accepted.flat_map(|value| value.split(',')).find_map(|range| {
            match range.split(';').next().unwrap_or_default().trim() {
                "text/html" => Some(Self::Html),
                MEDIA_TYPE | "application/json" | "application/*" | "*/*" => Some(Self::Json),
                _ => None,
            }
        });
        named.unwrap_or(Self::Json)
    }

    pub(super) fn write(self, bundle: &Bundle) -> Result<Response, Problem> {
        let (kind, name, body) = match self {
            Self::Json => (MEDIA_TYPE, "bundle.json", bundle.to_string()),
            Self::Html => (
                "text/html; charset=utf-8",
                "evidence.html",
                evidence::render(bundle).map_err(|error| Problem::internal(&error))?,
            ),
        };
        let disposition = format!("inline; filename=\"{}.{name}\"", bundle.manifest.about.kind());
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(value) = HeaderValue::from_str(&disposition) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_program_the_bundle() {
        let form = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            matches!(Form::asked(None, &headers), Ok(Form::Html))
        };
        assert!(form("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(!form("*/*") && !form(MEDIA_TYPE) && !form("image/png"));
        assert!(Form::asked(Some("csv"), &HeaderMap::new()).is_err());
    }
}
