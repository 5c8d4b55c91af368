//! Definitions as the crates converted them, with lists that come in the order of a hash map sorted by name.
use spacetimedb_lib::db::raw_def::v10::{ExplicitNameEntry, ExplicitNames, RawModuleDefV10, RawModuleDefV10Section};
use spacetimedb_lib::db::raw_def::v9::{RawMiscModuleExportV9, RawModuleDefV9};

/// Sorts what has a key among itself, on the places where such stand; the rest stays where it is.
fn sort_among<T: Clone, K: Ord>(items: &mut [T], key: impl Fn(&T) -> Option<K>) {
    let places: Vec<usize> = (0..items.len()).filter(|place| key(&items[*place]).is_some()).collect();
    let mut sorted: Vec<T> = places.iter().map(|place| items[*place].clone()).collect();
    sorted.sort_by_key(&key);
    for (place, item) in places.into_iter().zip(sorted) {
        items[place] = item;
    }
}

pub fn v9(mut raw: RawModuleDefV9) -> RawModuleDefV9 {
    for table in &mut raw.tables {
        table.indexes.sort_by_key(|one| one.name.clone());
        table.constraints.sort_by_key(|one| one.name.clone());
        table.sequences.sort_by_key(|one| one.name.clone());
    }
    raw.tables.sort_by_key(|one| one.name.clone());
    raw.types.sort_by_key(|one| (one.name.scope.clone(), one.name.name.clone()));
    sort_among(&mut raw.misc_exports, |one| match one {
        RawMiscModuleExportV9::ColumnDefaultValue(one) => Some((one.table.clone(), one.col_id, one.value.clone())),
        _ => None,
    });
    raw.row_level_security.sort_by_key(|one| one.sql.clone());
    raw
}

pub fn v10(mut raw: RawModuleDefV10) -> RawModuleDefV10 {
    raw.sections = raw.sections.into_iter().map(section).collect();
    raw
}

fn section(mut section: RawModuleDefV10Section) -> RawModuleDefV10Section {
    use RawModuleDefV10Section::*;
    match &mut section {
        Types(types) => types.sort_by_key(|one| (one.source_name.scope.clone(), one.source_name.source_name.clone())),
        Tables(tables) => {
            for table in tables.iter_mut() {
                table.indexes.sort_by_key(|one| one.source_name.clone());
                table.constraints.sort_by_key(|one| one.source_name.clone());
                table.sequences.sort_by_key(|one| one.source_name.clone());
            }
            tables.sort_by_key(|one| one.source_name.clone());
        }
        Schedules(schedules) => schedules.sort_by_key(|one| (one.table_name.clone(), one.source_name.clone())),
        Outboxes(outboxes) => outboxes.sort_by_key(|one| one.table_name.clone()),
        RowLevelSecurity(rules) => rules.sort_by_key(|one| one.sql.clone()),
        Submodules(mounted) => mounted.iter_mut().for_each(|one| one.module = v10(one.module.clone())),
        ExplicitNames(names) => *names = explicit_names(std::mem::take(names)),
        _ => (),
    }
    section
}

fn explicit_names(names: ExplicitNames) -> ExplicitNames {
    let mut entries = names.into_entries();
    sort_among(&mut entries, |one| match one {
        ExplicitNameEntry::Table(mapping) => Some(mapping.source_name.clone()),
        _ => None,
    });
    let mut names = ExplicitNames::default();
    for entry in entries {
        match entry {
            ExplicitNameEntry::Table(one) => names.insert_table(one.source_name, one.canonical_name),
            ExplicitNameEntry::Function(one) => names.insert_function(one.source_name, one.canonical_name),
            ExplicitNameEntry::Index(one) => names.insert_index(one.source_name, one.canonical_name),
            ExplicitNameEntry::Namespace(one) => names.insert_namespace(one.source_name, one.canonical_name),
            other => panic!("an explicit name that is new: {other:?}"),
        }
    }
    names
}
