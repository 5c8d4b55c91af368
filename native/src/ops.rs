//! The instructions of a program: the one table of them. `bsatn/native/program.py` writes them by name.
//!
//! A program says how the bytes of a type follow one another. The same one is read by `decode`, which makes values bottom
//! up, by `encode`, which takes them apart top down, and, written without values, by `check`. `a` and `b` are the operands.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

macro_rules! opcodes {
    ($($(#[$says:meta])* $name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Code { $($(#[$says])* $name),* }

        const NAMES: &[(&str, Code)] = &[$((stringify!($name), Code::$name)),*];
    };
}

opcodes! {
    U8, I8, U16, I16, U32, I32, U64, I64, U128, I128, F32, F64, Bool, Str,
    /// A length, and as many times `a` bytes.
    Bytes,
    /// An integer of `a` bytes, made from bytes by callable `b`, and made bytes by callable `b + 1`.
    Wide,
    /// `a` bytes of which any are right, and nobody asks for their value.
    Skip,
    /// An array of plain numbers of kind `a`; a tuple if `b`.
    Numbers,
    /// The value last made becomes one of class `a`, a subclass of int.
    Newtype,
    /// One of the wire values of choice `a`.
    Choice,
    /// A product of `a` fields begins.
    Open,
    /// An instance of record `b`, of `a` fields, begins.
    OpenRecord,
    /// The last `a` values become a tuple.
    Tuple,
    /// The last `a` values become an instance of record `b`.
    Record,
    /// A tag, and on to an arm of sum `a`.
    Sum,
    /// The payload of variant `a` becomes a Variant.
    Variant,
    /// The value becomes a Some.
    Some,
    /// On to instruction `a`.
    Jump,
    /// A count, and on to the `Next` at `a`; an element takes at least `b` bytes.
    Array,
    /// The next element, from `a` on; after the last, a list of them, or a tuple if `b`.
    Next,
    /// Function `a`, with `b` more containers open around it.
    Call,
    Return,
    /// A value without bytes that `Limits.empty_elements` counts.
    Spend,
    /// Nothing: there is no such type.
    Broken,
}

impl Code {
    /// Whether it is a whole value, without parts that are values: of an element or a field that begins with it there is
    /// nothing more, but for a `Newtype`.
    #[inline(always)]
    pub fn is_leaf(self) -> bool {
        use Code::*;
        matches!(
            self,
            U8 | I8
                | U16
                | I16
                | U32
                | I32
                | U64
                | I64
                | U128
                | I128
                | F32
                | F64
                | Bool
                | Str
                | Bytes
                | Wide
                | Numbers
                | Choice
        )
    }
}

#[derive(Clone, Copy)]
pub struct Op {
    pub code: Code,
    pub a: u32,
    pub b: u32,
}

/// The instruction that Python calls `name`.
fn code(name: &str) -> PyResult<Code> {
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, code)| *code).ok_or_else(|| PyValueError::new_err(format!("no instruction is called {name}")))
}

/// Where a function begins, and how many containers are open in it at most.
#[derive(Clone, Copy)]
pub struct Function {
    pub start: usize,
    pub height: u64,
}

/// A program as `bsatn/native/program.py` writes it, as far as it needs no objects.
#[derive(FromPyObject)]
pub struct WrittenFlow {
    ops: Vec<(String, u32, u32)>,
    numbers: Vec<String>,
    functions: Vec<(usize, u64)>,
    depth: u64,
    empty_elements: u64,
}

/// Instructions, functions and limits: what every interpreter needs.
pub struct Flow {
    pub ops: Vec<Op>,
    pub numbers: Vec<Code>,
    pub functions: Vec<Function>,
    pub depth: u64,
    pub empty_elements: u64,
}

impl Flow {
    pub fn new(written: WrittenFlow) -> PyResult<Self> {
        let op = |(name, a, b): (String, u32, u32)| Ok(Op { code: code(&name)?, a, b });
        Ok(Flow {
            ops: written.ops.into_iter().map(op).collect::<PyResult<_>>()?,
            numbers: written.numbers.iter().map(|name| code(name)).collect::<PyResult<_>>()?,
            functions: written.functions.into_iter().map(|(start, height)| Function { start, height }).collect(),
            depth: written.depth,
            empty_elements: written.empty_elements,
        })
    }
}
