//! Which layouts of definitions there are, and whether this release reads the one that is asked about.
use serde_json::Value;

/// The release that this program is built over.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Every layout: its id, the tag of its version, and the first and last release that write it.
const LAYOUTS: &[(&str, u8, &str, &str)] = &[
    ("8", 0, "1.0.0-rc3", "2.14.0"),
    ("9b", 1, "1.0.0-rc3", "1.0.0-rc3.1"),
    ("9c", 1, "1.0.0", "1.3.2"),
    ("9d", 1, "1.4.0", "1.7.0"),
    ("9e", 1, "1.8.0", "2.14.0"),
    ("10a", 2, "1.12.0", "1.12.0"),
    ("10b", 2, "2.0.0-rc1", "2.3.0"),
    ("10c", 2, "2.4.0", "2.4.0"),
    ("10d", 2, "2.4.1", "2.7.1"),
    ("10e", 2, "2.8.0", "2.10.1"),
    ("10f", 2, "2.10.2", "2.10.2"),
    ("10g", 2, "2.11.0", "2.11.0"),
    ("10h", 2, "2.12.0", "2.13.0"),
    ("10i", 2, "2.14.0", "2.14.0"),
];

/// What orders releases: the numbers, then a candidate before what it is a candidate of.
fn rank(release: &str) -> Option<(Vec<u64>, bool, &str)> {
    let (numbers, candidate) = release.split_once('-').unwrap_or((release, ""));
    let numbers: Option<Vec<u64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    Some((numbers.filter(|numbers| numbers.len() == 3)?, candidate.is_empty(), candidate))
}

/// The layout that a release has for a tag, if any.
pub fn id(release: &str, tag: u8) -> Option<&'static str> {
    let asked = rank(release)?;
    let within = |since, until| rank(since) <= Some(asked.clone()) && Some(asked.clone()) <= rank(until);
    LAYOUTS.iter().find(|(_, of, since, until)| *of == tag && within(since, until)).map(|(id, ..)| *id)
}

/// The tag of the version that a definition's JSON is of, if it says one.
pub fn tag_of_json(text: &str) -> Option<u8> {
    let json: Value = serde_json::from_str(text).ok()?;
    let version = json.as_object()?.keys().next()?;
    Some(["V8BackCompat", "V9", "V10"].iter().position(|name| name == version)? as u8)
}

/// Skips a request that is about another layout than this release's.
pub fn own(request: &Value, tag: Option<u8>) -> Result<(), Value> {
    let asked = request["layout"].as_str().unwrap_or(RELEASE);
    let ours = tag.and_then(|tag| id(RELEASE, tag));
    let same = match LAYOUTS.iter().find(|(id, ..)| *id == asked) {
        _ if asked == "auto" => true,
        Some((id, of, ..)) => ours == Some(id) || (ours.is_none() && Some(*of) != tag),
        None => rank(asked).is_some() && tag.map_or(true, |tag| id(asked, tag) == ours),
    };
    if same { Ok(()) } else { crate::skip(format!("this is release {RELEASE}, which has not the layout of {asked}")) }
}
