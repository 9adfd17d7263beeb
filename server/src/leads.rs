//! Leads: kept in the transaction of the step that brought them, and who is told of them.

use engine::flows::{Lead, LeadStatus};
use engine::metrics::event::What;

use crate::app::App;
use crate::events::record;
use crate::store::leads::LeadRow;
use crate::store::{StoreError, Tx};

/// What the owner is told of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// One line: `Talk to sales: jo@example.org, 40`.
    pub title: String,
    /// All that is known, a line each.
    pub text: String,
    /// Whether it cannot wait.
    pub urgent: bool,
}

/// Keeps a lead, new or grown; what the owner is told of it, if anything.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    app: &App,
    tx: &mut Tx,
    conversation: &str,
    lead: &Lead,
) -> Result<Option<News>, StoreError> {
    let now = app.clock.now_ms();
    let before = tx.lead(conversation, &lead.flow).await?;
    let row = LeadRow {
        id: before.as_ref().map_or_else(|| app.ids.id(), |row| row.id.clone()),
        conversation: conversation.into(),
        flow: lead.flow.clone(),
        title: lead.title.clone(),
        level: lead.level.as_str().into(),
        status: lead.status.as_str().into(),
        slots: serde_json::to_string(&lead.slots).unwrap_or_else(|_| "[]".into()),
        urgent: i64::from(lead.urgent),
        created_at: before.as_ref().map_or(now, |row| row.created_at),
        updated_at: now,
    };
    tx.put_lead(&row).await?;
    let (flow, level) = (row.flow.clone(), row.level.clone());
    if before.as_ref().is_some_and(|before| before.level == level) {
        return Ok(is_news(before.as_ref(), lead).then(|| news(lead)));
    }
    record(app, tx, Some(conversation), What::LeadCaptured { flow, level }).await?;
    Ok(is_news(before.as_ref(), lead).then(|| news(lead)))
}

/// The owner is told once that a lead cannot wait, and once that it is complete.
fn is_news(before: Option<&LeadRow>, lead: &Lead) -> bool {
    let urgent = lead.urgent && before.is_none_or(|row| row.urgent == 0);
    let complete = LeadStatus::Complete;
    urgent || (lead.status == complete && before.is_none_or(|row| row.status != complete.as_str()))
}

fn news(lead: &Lead) -> News {
    let values: Vec<&str> = lead.slots.iter().map(|row| row.value.as_str()).collect();
    let lines: Vec<String> =
        lead.slots.iter().map(|row| format!("{}: {}", row.label, row.value)).collect();
    News {
        title: format!("{}: {}", lead.title, values.join(", ")),
        text: lines.join("\n"),
        urgent: lead.urgent,
    }
}

#[cfg(test)]
mod tests {
    use engine::flows::Level;
    use engine::tasks::Row;

    use super::*;

    fn lead(status: LeadStatus, urgent: bool) -> Lead {
        let slots = vec![Row::new("E-mail", "jo@example.org"), Row::new("People", "40")];
        let (flow, title) = ("sales".into(), "Talk to sales".into());
        Lead { flow, title, level: Level::High, status, slots, urgent }
    }

    #[test]
    fn the_owner_is_told_once_of_each() {
        use LeadStatus::{Complete, Open, Stopped};
        let row = |status: LeadStatus, urgent: i64| LeadRow {
            id: String::new(),
            conversation: String::new(),
            flow: "sales".into(),
            title: String::new(),
            level: "high".into(),
            status: status.as_str().into(),
            slots: "[]".into(),
            urgent,
            created_at: 0,
            updated_at: 0,
        };
        for (before, now, expect) in [
            (None, lead(Open, false), false),
            (None, lead(Open, true), true),
            (Some(row(Open, 1)), lead(Open, true), false),
            (Some(row(Open, 1)), lead(Complete, true), true),
            (Some(row(Complete, 1)), lead(Complete, true), false),
            (Some(row(Open, 0)), lead(Stopped, false), false),
        ] {
            assert_eq!(is_news(before.as_ref(), &now), expect, "{before:?} {now:?}");
        }
        assert_eq!(news(&lead(Open, true)).title, "Talk to sales: jo@example.org, 40");
    }
}
