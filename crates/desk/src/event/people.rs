//! Who attends, and which needs they bring.

use super::reader::{Known, Reader};
use crate::{
    rules::both,
    sheet::{Row, Sheet},
    values::{count, list, number},
};
use queqiao_events::{
    conflict::{Profile, same_name_key},
    event::{Attendee, EventNeed, Side},
};
use std::collections::HashSet;

/// The side that a word for a role means.
fn side(role: &str) -> Option<Side> {
    Some(match role.to_lowercase().as_str() {
        "企业" | "需求" | "需求方" | "需方" | "提问方" | "asker" | "enterprise" | "company"
        | "need" | "demand" | "buyer" => Side::Asks,
        "专家" | "学者" | "供给方" | "供方" | "解答方" | "solver" | "expert" | "supply"
        | "scientist" | "provider" => Side::Answers,
        "主持人" | "主持" | "召集人" | "host" | "moderator" | "chair" => Side::Hosts,
        _ => return None,
    })
}

fn cancelled(row: Row<'_>) -> bool {
    let s = row.text("status").to_lowercase();
    [
        "取消",
        "已取消",
        "不参加",
        "缺席",
        "cancelled",
        "canceled",
        "absent",
    ]
    .contains(&s.as_str())
}

/// What somebody has to do with others.
pub(crate) fn profile(row: Row<'_>, id: String, name: String, organisation: String) -> Profile {
    Profile {
        id,
        name,
        organisation,
        family: row.text("family"),
        posts: list(&row.text("posts")),
        worked_with: list(&row.text("worked")),
        declared: list(&row.text("declared")),
    }
}

impl Reader {
    /// Reads participants; where `set` is given it is everybody's side.
    pub(super) fn attendees(&mut self, sheet: &Sheet, set: Option<Side>) {
        let mut seen: HashSet<String> = HashSet::new();
        let mut people: HashSet<(String, String)> = HashSet::new();
        for row in sheet.rows() {
            let (id, name) = (row.text("id"), row.text("name"));
            if id.is_empty() && name.is_empty() {
                self.slips.add(
                    row,
                    "name",
                    both("neither id nor name", "缺少编号和姓名"),
                    both("expected one of them", "至少填写一项"),
                );
                continue;
            }
            let Some(side) = set.or_else(|| side(&row.text("role"))) else {
                self.slips.add(
                    row,
                    "role",
                    both("the role is not known", "角色无法识别"),
                    both(
                        "expected enterprise, expert or host",
                        "应为“企业”“专家”或“主持人”",
                    ),
                );
                continue;
            };
            let organisation = row.text("organisation");
            let (field, key) = if id.is_empty() {
                ("name", name.clone())
            } else {
                ("id", id.clone())
            };
            let person = (same_name_key(&name), same_name_key(&organisation));
            let again = !name.is_empty() && !organisation.is_empty() && !people.insert(person);
            if !seen.insert(same_name_key(&key)) || again {
                let (field, told) = if again {
                    ("name", &name)
                } else {
                    (field, &key)
                };
                self.slips.add(
                    row,
                    field,
                    both(format!("{told} stands twice"), format!("{told} 重复")),
                    both("expected each participant once", "每位参会者只应出现一次"),
                );
                continue;
            }
            let most = count(row, "most", 1, &mut self.slips);
            let elsewhere = count(row, "elsewhere", 0, &mut self.slips).unwrap_or(0);
            // The experts' sheet adds to whom the participants' sheet names.
            if let Some(Known::One(known)) = self.known.get(&same_name_key(&key)).copied() {
                let a = &mut self.event.attendees[known];
                a.most = a.most.or(most);
                a.elsewhere = a.elsewhere.max(elsewhere);
                a.cancelled |= cancelled(row);
                for (field, to) in [
                    ("text", &mut a.text),
                    ("organisation", &mut a.profile.organisation),
                    ("family", &mut a.profile.family),
                ] {
                    if to.is_empty() {
                        *to = row.text(field);
                    }
                }
                continue;
            }
            let organisation = if side == Side::Asks && organisation.is_empty() {
                name.clone()
            } else {
                organisation
            };
            let mut names = vec![key.clone()];
            if same_name_key(&name) != same_name_key(&key) {
                names.push(name.clone());
            }
            if side == Side::Asks && same_name_key(&organisation) != same_name_key(&name) {
                names.push(organisation.clone());
            }
            let shown = if name.is_empty() { key.clone() } else { name };
            let mut attendee = Attendee::new(profile(row, key, shown, organisation), side);
            attendee.text = row.text("text");
            attendee.most = most;
            attendee.elsewhere = elsewhere;
            attendee.cancelled = cancelled(row);
            self.add(attendee, &names);
        }
    }

    /// Adds an attendee who is known by these names.
    fn add(&mut self, attendee: Attendee, names: &[String]) -> usize {
        let place = self.event.attendees.len();
        for (i, n) in names.iter().enumerate().filter(|(_, n)| !n.is_empty()) {
            let entry = self.known.entry(same_name_key(n));
            // An id is somebody's own; a name or an organisation may be shared.
            let known = entry.or_insert(Known::One(place));
            if *known != Known::One(place) {
                *known = if i == 0 {
                    Known::One(place)
                } else {
                    Known::Many
                };
            }
        }
        self.event.attendees.push(attendee);
        place
    }

    /// Reads the needs. Where participants are listed (`strict`), whoever brings one is among them.
    pub(super) fn needs(&mut self, sheet: &Sheet, strict: bool) {
        for row in sheet.rows() {
            let (id, title) = (row.text("id"), row.text("name"));
            let (field, key) = if id.is_empty() {
                ("name", title.clone())
            } else {
                ("id", id)
            };
            if key.is_empty() {
                self.slips.add(
                    row,
                    "name",
                    both("neither id nor title", "缺少编号和名称"),
                    both("expected one of them", "至少填写一项"),
                );
                continue;
            }
            if self.known_needs.contains_key(&same_name_key(&key)) {
                self.slips.add(
                    row,
                    field,
                    both(format!("{key} stands twice"), format!("{key} 重复")),
                    both("expected each need once", "每项需求只应出现一次"),
                );
                continue;
            }
            let company = row.text("organisation");
            let company = if company.is_empty() {
                key.clone()
            } else {
                company
            };
            let attendee = if strict && sheet.has("organisation") {
                self.who(row, "organisation")
            } else {
                match self.known.get(&same_name_key(&company)) {
                    Some(Known::One(a)) => Some(*a),
                    _ => {
                        let who = Profile {
                            id: company.clone(),
                            name: company.clone(),
                            organisation: company.clone(),
                            ..Profile::default()
                        };
                        Some(self.add(Attendee::new(who, Side::Asks), &[company]))
                    }
                }
            };
            let Some(attendee) = attendee else { continue };
            if self.event.attendees[attendee].side != Side::Asks {
                self.slips.add(
                    row,
                    "organisation",
                    both("who brings a need is no enterprise", "提出需求的不是企业"),
                    both(
                        "expected a participant whose role is enterprise",
                        "应为角色为“企业”的参会者",
                    ),
                );
                continue;
            }
            self.known_needs
                .insert(same_name_key(&key), self.event.needs.len());
            let priority = number(row, "weight", 0.0, &mut self.slips).filter(|w| *w > 0.0);
            self.event.needs.push(EventNeed {
                title: if title.is_empty() { key.clone() } else { title },
                id: key,
                text: row.text("text"),
                attendee,
                experts: count(row, "experts", 1, &mut self.slips),
                priority: priority.unwrap_or(1.0),
            });
        }
    }

    /// Every enterprise is its own need, where no needs are listed.
    pub(super) fn needs_of_enterprises(&mut self) {
        for (i, a) in self.event.attendees.iter().enumerate() {
            if a.side != Side::Asks {
                continue;
            }
            self.known_needs
                .insert(same_name_key(&a.profile.id), self.event.needs.len());
            self.event.needs.push(EventNeed {
                id: a.profile.id.clone(),
                title: a.profile.name.clone(),
                text: a.text.clone(),
                attendee: i,
                experts: None,
                priority: 1.0,
            });
        }
    }
}
