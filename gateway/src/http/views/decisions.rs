use axum::response::Response;
use gt_projections::DecisionFilter;
use gt_schemas::{Decision, FindingCode, HarmLevel, LawfulBasisKind, Purpose, Trigger};

use super::parameters::{agency, code, context, person, time};
use super::{Asked, query};
use crate::problem::Problem;

query! {
    /// `GET /v1/decisions?child&agency&context&person&decision&trigger&harm_level&purpose&basis&finding&recipient&from&to`
    DecisionQuery {
        child, agency, context, person, decision, trigger, harm_level, purpose, basis, finding, recipient, from, to,
    }
}

/// `GET /v1/decisions`
pub(super) async fn decisions(mut asked: Asked<DecisionQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let finding = code("finding", query.finding.take(), FindingCode::CODES)?;
    let filter = DecisionFilter {
        child: query.child.as_deref().map(person).transpose()?,
        agency: agency(query.agency.as_deref())?,
        context: query.context.as_deref().map(context).transpose()?,
        person: query.person.as_deref().map(person).transpose()?,
        decision: code("decision", query.decision.take(), Decision::CODES)?,
        trigger: code("trigger", query.trigger.take(), Trigger::CODES)?,
        harm_level: code("harm_level", query.harm_level.take(), HarmLevel::CODES)?,
        purpose: code("purpose", query.purpose.take(), Purpose::CODES)?,
        basis: basis(query.basis.take())?,
        finding: finding.as_deref().and_then(FindingCode::parse),
        recipient: agency(query.recipient.as_deref())?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    if filter.context.is_some() || filter.person.is_some() {
        // Which children are linked to whom and what is what all agencies said of them.
        asked.of_all_agencies()?;
    }
    let child = filter.child;
    asked.about(child).answer(move |views, page| views.decisions(&filter, page)).await
}

/// A kind of lawful basis, or a kind and a code.
fn basis(text: Option<String>) -> Result<Option<String>, Problem> {
    let kind = text.as_deref().map(|text| text.split_once('.').map_or(text, |(kind, _)| kind).to_owned());
    code("the kind of a basis (Article6, or Article6.e with its code)", kind, LawfulBasisKind::CODES)?;
    Ok(text)
}
