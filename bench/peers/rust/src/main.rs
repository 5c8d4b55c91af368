//! The Rust crates as a bench peer: one JSON request a line on stdin, one JSON answer a line on stdout.
//!
//! Rows are dynamic `AlgebraicValue`s decoded by their `AlgebraicType`, one after another from one buffer; module definitions are the
//! crate's own `RawModuleDef`. Dropping what was decoded is part of the time, as collecting garbage is in the other engines.
//! Validating consumes a definition: the clone that each pass needs is not part of the time, dropping the result is.

use serde_json::{json, Value};
use spacetimedb_lib::RawModuleDef;
use spacetimedb_sats::{bsatn, AlgebraicType, AlgebraicValue};
use spacetimedb_schema::def::ModuleDef;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(200);
const SAMPLE: Duration = Duration::from_millis(20);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

enum Codec {
    Rows(AlgebraicType, Vec<AlgebraicValue>),
    Module(RawModuleDef),
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
        let validation = request["kind"] == "validation";
        for direction in if validation {
            &["validate"][..]
        } else {
            &["decode", "encode"]
        } {
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
