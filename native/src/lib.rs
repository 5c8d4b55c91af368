//! The native engine: `bsatn.native` writes a program for a type, and here it is interpreted.

mod calls;
mod changes;
mod check;
mod columns;
mod commits;
mod decode;
mod encode;
mod failure;
mod frames;
mod input;
mod kit;
mod numbers;
mod ops;
mod output;
mod plan;
mod tables;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::columns::{ColumnData, ColumnReader, Stopped};
    #[pymodule_export]
    use crate::commits::{Commits, Stepped};
    #[pymodule_export]
    use crate::frames::frames;
    #[pymodule_export]
    use crate::plan::Plan;
}
