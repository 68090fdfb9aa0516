use axum::response::Response;
use gt_projections::{FindingFilter, FindingSort};
use gt_schemas::FindingCode;

use super::parameters::{agency, choice, code, time};
use super::{Asked, query};
use crate::problem::Problem;

query! {
    /// `GET /v1/findings?agency&code&from&to`
    FindingQuery { agency, code, from, to }
}
query! {
    /// `GET /v1/findings/agencies?agency&code&from&to&sort`
    FindingCountQuery { agency, code, from, to, sort }
}

/// `GET /v1/findings`: decisions of which the rules of practice say something.
pub(super) async fn findings(mut asked: Asked<FindingQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let filter = FindingFilter {
        agency: agency(query.agency.as_deref())?,
        code: finding(query.code.take())?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    asked.answer(move |views, page| views.findings(&filter, page)).await
}

/// `GET /v1/findings/agencies`: how many decisions of each agency have each finding.
pub(super) async fn agencies(mut asked: Asked<FindingCountQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let filter = FindingFilter {
        agency: agency(query.agency.as_deref())?,
        code: finding(query.code.take())?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    let sorts =
        [("agency", FindingSort::Agency), ("code", FindingSort::Code), ("decisions", FindingSort::Decisions)];
    let sort = choice("sort", query.sort.as_deref(), &sorts)?;
    asked.counts_of_all(filter.from.is_some() || filter.to.is_some())?;
    asked.answer(move |views, page| views.findings_by_agency(&filter, sort, page)).await
}

fn finding(text: Option<String>) -> Result<Option<FindingCode>, Problem> {
    Ok(code("code", text, FindingCode::CODES)?.as_deref().and_then(FindingCode::parse))
}
