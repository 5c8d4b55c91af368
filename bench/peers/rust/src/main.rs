//! The Rust crates as a bench peer: one JSON request a line on stdin, one JSON answer a line on stdout.
//!
//! Rows are dynamic `AlgebraicValue`s decoded by their `AlgebraicType`, one after another from one buffer; module definitions are the
//! crate's own `RawModuleDef`. Dropping what was decoded is part of the time, as collecting garbage is in the other engines.
//! Commit logs are traversed by the crate's own iterators: commits with their checksums, or records with rows as dynamic values.
//! Validating consumes a definition: the clone that each pass needs is not part of the time, dropping the result is.

use serde_json::{json, Value};
use spacetimedb_commitlog::payload::{txdata, Decoder};
use spacetimedb_commitlog::Encode;
use spacetimedb_lib::RawModuleDef;
use spacetimedb_paths::server::CommitLogDir;
use spacetimedb_paths::FromPathUnchecked;
use spacetimedb_primitives::TableId;
use spacetimedb_sats::buffer::{BufReader, BufWriter};
use spacetimedb_sats::{bsatn, AlgebraicType, AlgebraicValue};
use spacetimedb_schema::def::ModuleDef;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(200);
const SAMPLE: Duration = Duration::from_millis(20);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

enum Codec {
    Rows(AlgebraicType, Vec<AlgebraicValue>),
    Module(RawModuleDef),
    Log(Log),
}

struct Log {
    folder: String,
    transactions: u64,
    types: HashMap<u32, AlgebraicType>,
}

struct Row(#[allow(dead_code)] AlgebraicValue);

impl Encode for Row {
    fn encode_record<W: BufWriter>(&self, _: &mut W) {
        unreachable!("logs are only read")
    }
}

type LogError = Box<dyn std::error::Error>;

struct Types<'t>(&'t HashMap<u32, AlgebraicType>);

impl Types<'_> {
    fn row<'a, R: BufReader<'a>>(&self, table: TableId, reader: &mut R) -> Result<Row, LogError> {
        let ty = self.0.get(&table.0).ok_or("no type")?;
        Ok(Row(black_box(AlgebraicValue::decode(ty, reader)?)))
    }
}

impl txdata::Visitor for Types<'_> {
    type Error = LogError;
    type Row = Row;

    fn visit_insert<'a, R: BufReader<'a>>(&mut self, table: TableId, reader: &mut R) -> Result<Row, LogError> {
        self.row(table, reader)
    }

    fn visit_delete<'a, R: BufReader<'a>>(&mut self, table: TableId, reader: &mut R) -> Result<Row, LogError> {
        self.row(table, reader)
    }

    fn skip_row<'a, R: BufReader<'a>>(&mut self, table: TableId, reader: &mut R) -> Result<(), LogError> {
        self.row(table, reader).map(drop)
    }
}

struct Records<'t> {
    types: RefCell<Types<'t>>,
    count: &'t Cell<u64>,
}

impl Decoder for Records<'_> {
    type Record = txdata::Txdata<Row>;
    type Error = LogError;

    fn decode_record<'a, R: BufReader<'a>>(&self, version: u8, offset: u64, reader: &mut R) -> Result<Self::Record, LogError> {
        txdata::decode_record_fn(&mut *self.types.borrow_mut(), version, offset, reader).map_err(|e| e.to_string().into())
    }

    fn consume_record<'a, R: BufReader<'a>>(&self, version: u8, offset: u64, reader: &mut R) -> Result<(), LogError> {
        self.count.set(self.count.get() + 1);
        txdata::consume_record_fn(&mut *self.types.borrow_mut(), version, offset, reader).map_err(|e| e.to_string().into())
    }

    fn skip_record<'a, R: BufReader<'a>>(&self, version: u8, offset: u64, reader: &mut R) -> Result<(), LogError> {
        self.consume_record(version, offset, reader)
    }
}

impl Log {
    fn load(request: &Value) -> Outcome<Log> {
        let mut types = HashMap::new();
        for (table, file) in request["types"].as_object().ok_or("no types")? {
            let content = std::fs::read(file.as_str().unwrap_or_default())?;
            types.insert(table.parse()?, bsatn::from_slice(&content)?);
        }
        Ok(Log {
            folder: request["data_file"].as_str().ok_or("no data_file")?.into(),
            transactions: request["transactions"].as_u64().ok_or("no transactions")?,
            types,
        })
    }

    fn directory(&self) -> CommitLogDir {
        CommitLogDir::from_path_unchecked(&self.folder)
    }

    fn walk(&self) -> Outcome<u64> {
        let mut count = 0;
        for commit in spacetimedb_commitlog::commits(self.directory())? {
            count += u64::from(black_box(commit?).n);
        }
        Ok(count)
    }

    fn rows(&self) -> Outcome<u64> {
        let count = Cell::new(0);
        let types = RefCell::new(Types(&self.types));
        spacetimedb_commitlog::fold_transactions(self.directory(), Records { types, count: &count })?;
        Ok(count.get())
    }

    fn pass(&self, direction: &str) -> Outcome<()> {
        let found = if direction == "walk" { self.walk()? } else { self.rows()? };
        if found != self.transactions {
            return Err(format!("{found} transactions instead of {}", self.transactions).into());
        }
        Ok(())
    }
}

struct Job {
    codec: Codec,
    data: Vec<u8>,
    out: Vec<u8>,
    units: f64,
}

fn decode_rows(ty: &AlgebraicType, data: &[u8]) -> Outcome<Vec<AlgebraicValue>> {
    let mut rest = data;
    let mut rows = Vec::new();
    while !rest.is_empty() {
        rows.push(AlgebraicValue::decode(ty, &mut rest)?);
    }
    Ok(rows)
}

impl Job {
    fn load(request: &Value) -> Outcome<Job> {
        if request["kind"] == "log" {
            return Ok(Job {
                codec: Codec::Log(Log::load(request)?),
                data: Vec::new(),
                out: Vec::new(),
                units: request["units"].as_f64().ok_or("no units")?,
            });
        }
        let file = |key: &str| std::fs::read(request[key].as_str().unwrap_or_default());
        let data = file("data_file")?;
        let codec = if request["kind"] != "rows" {
            Codec::Module(bsatn::from_slice(&data)?)
        } else {
            let ty: AlgebraicType = bsatn::from_slice(&file("type_file")?)?;
            let rows = decode_rows(&ty, &data)?;
            Codec::Rows(ty, rows)
        };
        let units = request["units"].as_f64().ok_or("no units")?;
        Ok(Job {
            codec,
            data,
            out: Vec::new(),
            units,
        })
    }

    fn decode(&self) -> Outcome<()> {
        match &self.codec {
            Codec::Rows(ty, _) => drop(black_box(decode_rows(ty, black_box(&self.data))?)),
            Codec::Module(_) => drop(black_box(bsatn::from_slice::<RawModuleDef>(black_box(
                &self.data,
            ))?)),
            Codec::Log(log) => log.pass("rows")?,
        }
        Ok(())
    }

    fn encode(&mut self) -> Outcome<()> {
        self.out.clear();
        match &self.codec {
            Codec::Rows(_, rows) => {
                for row in black_box(rows) {
                    bsatn::to_writer(&mut self.out, row)?;
                }
            }
            Codec::Module(module) => bsatn::to_writer(&mut self.out, black_box(module))?,
            Codec::Log(_) => {}
        }
        black_box(&self.out);
        Ok(())
    }

    fn validate(&self) -> Outcome<Duration> {
        let Codec::Module(module) = &self.codec else {
            return Err("rows are not validated".into());
        };
        let module = module.clone();
        let start = Instant::now();
        let valid = ModuleDef::try_from(black_box(module)).map_err(|errors| errors.to_string())?;
        drop(black_box(valid));
        Ok(start.elapsed())
    }

    fn pass(&mut self, direction: &str) -> Outcome<Duration> {
        let start = Instant::now();
        match direction {
            "validate" => return self.validate(),
            "walk" => match &self.codec {
                Codec::Log(log) => log.pass("walk")?,
                _ => return Err("not a log".into()),
            },
            "verify" => self.decode()?,
            "decode" => self.decode()?,
            _ => self.encode()?,
        }
        Ok(start.elapsed())
    }

    /// Nanoseconds per unit. Passes are timed in batches of at least `SAMPLE`, so that small jobs aren't all clock.
    fn samples(&mut self, direction: &str, budget: Duration) -> Outcome<Vec<f64>> {
        let end = Instant::now() + budget;
        let mut result = Vec::new();
        loop {
            let mut spent = Duration::ZERO;
            let mut passes = 0.0;
            while spent < SAMPLE {
                spent += self.pass(direction)?;
                passes += 1.0;
            }
            result.push(spent.as_nanos() as f64 / passes / self.units);
            if Instant::now() >= end {
                return Ok(result);
            }
        }
    }
}

fn answer(job: &mut Option<Job>, line: &str) -> Outcome<Value> {
    let request: Value = serde_json::from_str(line)?;
    if request["op"] == "load" {
        let mut loaded = Job::load(&request)?;
        loaded.encode()?;
        let identical = loaded.out == loaded.data;
        let directions = match request["kind"].as_str() {
            Some("validation") => &["validate"][..],
            Some("log") => &["walk", "verify"],
            _ => &["decode", "encode"],
        };
        for direction in directions {
            loaded.samples(direction, WARM_UP)?;
        }
        *job = Some(loaded);
        return Ok(json!({ "identical": identical }));
    }
    let job = job.as_mut().ok_or("nothing loaded")?;
    let budget = Duration::from_secs_f64(request["seconds"].as_f64().ok_or("no seconds")?);
    let direction = request["direction"].as_str().ok_or("no direction")?;
    Ok(json!({ "ns": job.samples(direction, budget)? }))
}

fn main() -> Outcome<()> {
    let mut job = None;
    for line in io::stdin().lock().lines() {
        let reply =
            answer(&mut job, &line?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        println!("{reply}");
        io::stdout().flush()?;
    }
    Ok(())
}
