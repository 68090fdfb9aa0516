//! E1–E5, E8 and E10: the bases themselves.

use super::*;

pub(super) const BASES: &[Row] = &[
    ("sound", |_| {}, ""),
    ("E1: nothing at all", |c| c.lawful_basis.clear(), "E1[0, 1] E2[1] W4[1]"),
    (
        "E1: no Article 6 basis",
        |c| c.lawful_basis.retain(|basis| *basis != article_6(Article6::PublicTask)),
        "E1[0, 1]",
    ),
    ("E1: section 35 is one", under_part_3, ""),
    (
        "E1: nothing identifies a person",
        |c| {
            c.lawful_basis.clear();
            c.items.iter_mut().for_each(|item| item.identifies = false);
        },
        "",
    ),
    (
        "E1: only what identifies is concerned",
        |c| {
            c.lawful_basis.clear();
            c.items[1].identifies = false;
        },
        "E1[0]",
    ),
    (
        "E1: only what was shared is concerned",
        |c| {
            c.lawful_basis.clear();
            c.decision = Decision::SharePart;
            c.items[0].disposition = Disposition::Withheld;
        },
        "E1[1] E2[1] W4[1]",
    ),
    ("E2: no Article 9", |c| c.without(is_9), "E2[1]"),
    (
        "E2: nothing special",
        |c| {
            c.without(is_9);
            c.items[1].class = DataClass::Personal;
        },
        "",
    ),
    (
        "E2: Part 3 without Schedule 8",
        |c| {
            under_part_3(c);
            c.lawful_basis.pop();
        },
        "E2[1]",
    ),
    (
        "E2: Article 9 does not serve Part 3",
        |c| {
            under_part_3(c);
            c.lawful_basis.pop();
            c.lawful_basis.push(LawfulBasis::Article9 { code: Article9::VitalInterests });
        },
        "E2[1]",
    ),
    ("E3: g without Schedule 1", |c| c.without(is_schedule_1), "E3[1]"),
    (
        "E3: f needs none",
        |c| {
            c.without(is_schedule_1);
            c.lawful_basis[1] = LawfulBasis::Article9 { code: Article9::LegalClaims };
        },
        "",
    ),
    ("E4: paragraph 18 without its ground", |c| c.lawful_basis[2] = paragraph_18(None), "E4"),
    (
        "E4: other paragraphs have none",
        |c| {
            c.lawful_basis[2] = LawfulBasis::Schedule1 { paragraph: Schedule1Paragraph::P2, ground: None };
        },
        "",
    ),
    (
        "E5: offences without Schedule 1",
        |c| {
            c.without(is_schedule_1);
            c.without(is_9);
            c.items[1] = item(Category::Offending, DataClass::CriminalOffence);
        },
        "E5[1]",
    ),
    (
        "E5: a condition announced is none",
        |c| {
            c.without(is_schedule_1);
            c.without(is_9);
            c.items[1] = item(Category::Offending, DataClass::CriminalOffence);
            c.lawful_basis.push(LawfulBasis::Article10 { code: Article10::Schedule1Condition });
        },
        "E5[1]",
    ),
    (
        "E5: official authority",
        |c| {
            c.without(is_schedule_1);
            c.without(is_9);
            c.items[1] = item(Category::Offending, DataClass::CriminalOffence);
            c.lawful_basis.push(LawfulBasis::Article10 { code: Article10::OfficialAuthority });
        },
        "",
    ),
    (
        "E5: a condition of Schedule 1",
        |c| {
            c.items[1] = item(Category::Offending, DataClass::CriminalOffence);
        },
        "",
    ),
    (
        "E5: not under Part 3 alone",
        |c| {
            under_part_3(c);
            c.items[1] = item(Category::Offending, DataClass::CriminalOffence);
        },
        "",
    ),
    ("E8: a public task without its source", |c| c.without(is_gateway), "E8"),
    (
        "E8: a legal obligation without its source",
        |c| {
            c.without(is_gateway);
            rely_on(c, article_6(Article6::LegalObligation));
        },
        "E8",
    ),
    (
        "E8: vital interests need none",
        |c| {
            c.without(is_gateway);
            rely_on(c, article_6(Article6::VitalInterests));
        },
        "",
    ),
    (
        "E10: ea before its day",
        |c| {
            c.agency = CHARITY.to_owned();
            rely_on(c, safeguarding());
            c.shared_at = Some(at("2026-02-04T23:59:59Z"));
        },
        "E10",
    ),
    (
        "E10: ea on its day",
        |c| {
            c.agency = CHARITY.to_owned();
            rely_on(c, safeguarding());
            c.shared_at = Some(at("2026-02-05T00:00:00Z"));
        },
        "",
    ),
    (
        "E10: nobody knows when",
        |c| {
            c.agency = CHARITY.to_owned();
            rely_on(c, safeguarding());
            c.shared_at = None;
        },
        "",
    ),
    ("E10: a duty that is not known to be in force", duty_to_share, "E10"),
    (
        "E10: at no moment",
        |c| {
            duty_to_share(c);
            c.shared_at = None;
        },
        "E10",
    ),
];
