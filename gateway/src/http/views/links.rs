//! Places, other contexts and persons of concern, and the children linked to them.

use axum::response::Response;
use gt_projections::{LinkedFilter, LinkedSort};
use gt_schemas::{ContextKind, ContextRisk};

use super::parameters::{agency, choice, code, context, count, time};
use super::{Asked, query};
use crate::http::Path;
use crate::problem::Problem;

query! {
    /// `GET /v1/contexts?kind&risk&agency&children&from&to&sort`
    ContextQuery { kind, risk, agency, children, from, to, sort }
}
query! {
    /// `GET /v1/persons?risk&agency&children&from&to&sort`
    PersonQuery { risk, agency, children, from, to, sort }
}
query! {
    /// `GET /v1/locations/{ref}?from&to` and `GET /v1/persons/{ref}?from&to`
    LinkQuery { from, to }
}

const SORTS: [(&str, LinkedSort); 3] =
    [("children", LinkedSort::Children), ("last", LinkedSort::Last), ("reference", LinkedSort::Reference)];

/// `GET /v1/contexts`: places and other contexts, those with the most children first.
pub(super) async fn contexts(mut asked: Asked<ContextQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let filter = LinkedFilter {
        kind: code("kind", query.kind.take(), ContextKind::CODES)?,
        risk: code("risk", query.risk.take(), ContextRisk::CODES)?,
        agency: agency(query.agency.as_deref())?,
        children: count("children", query.children.as_deref())?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    let sort = choice("sort", query.sort.as_deref(), &SORTS)?;
    asked.answer_without(move |views, page, hidden| views.contexts(&filter, sort, hidden, page)).await
}

/// `GET /v1/persons`: persons of concern, those with the most children first.
pub(super) async fn persons(mut asked: Asked<PersonQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let filter = LinkedFilter {
        kind: None,
        risk: code("risk", query.risk.take(), ContextRisk::CODES)?,
        agency: agency(query.agency.as_deref())?,
        children: count("children", query.children.as_deref())?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    let sort = choice("sort", query.sort.as_deref(), &SORTS)?;
    asked.answer_without(move |views, page, hidden| views.persons(&filter, sort, hidden, page)).await
}

/// `GET /v1/locations/{ref}`: the children linked to a place or another context.
pub(super) async fn location(
    asked: Asked<LinkQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let context = context(&reference)?;
    let (from, to) = (time(asked.query.from.as_deref())?, time(asked.query.to.as_deref())?);
    asked.answer(move |views, page| views.context(&context, from, to, page)).await
}

/// `GET /v1/persons/{ref}`: the children linked to a person of concern.
pub(super) async fn person(
    asked: Asked<LinkQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let person = super::parameters::person(&reference)?;
    let (from, to) = (time(asked.query.from.as_deref())?, time(asked.query.to.as_deref())?);
    asked.answer(move |views, page| views.person(&person, from, to, page)).await
}
