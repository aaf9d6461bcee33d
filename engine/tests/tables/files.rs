//! Reading and writing files of every format.

use std::{fs, io::Read};

use flate2::read::GzDecoder;
use serde_json::json;

use crate::world::{World, schema};

const TYPED: &str = "text,number,ratio,truth,day,at,gap\n\
    \"a, b\",1,0.5,true,2013-01-01,2013-01-01T10:00:00Z,\n\
    ö,-2,1e3,false,2013-01-02,2013-01-02T10:00:00+02:00,x\n";

/// A table survives the way to a file and back, in every format.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_can_be_read() {
    let world = World::new();
    let table = world.table(TYPED).await;
    let rows = world.rows(&table);
    assert_eq!(
        rows[0],
        json!({ "text": "a, b", "number": 1, "ratio": 0.5, "truth": true, "day": "2013-01-01",
        "at": "2013-01-01T10:00:00", "gap": null })
    );
    assert_eq!(rows[1]["at"], "2013-01-02T08:00:00");
    for name in ["out/a.csv", "a.csv.gz", "a.parquet"] {
        let passed = world.run("write_file", json!({ "path": name }), &[("in", &table)]).await.unwrap();
        assert_eq!(passed, table);
        let back = world.run("read_file", json!({ "path": name }), &[]).await.unwrap();
        assert_eq!(world.rows(&back), rows, "{name}");
        assert_eq!(schema(&back), schema(&table), "{name}");
    }
    for name in ["a.ndjson", "a.jsonl.gz"] {
        world.run("write_file", json!({ "path": name }), &[("in", &table)]).await.unwrap();
        let types = json!({ "day": "date", "at": "datetime" });
        let back = world.run("read_file", json!({ "path": name, "types": types }), &[]).await.unwrap();
        assert_eq!(world.rows(&back), rows, "{name}");
    }
    let packed = fs::File::open(world.path("a.csv.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("text,number,ratio"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_a_csv_file() {
    let world = World::new();
    world.file("a.txt", "1;NA;007\n-;2,5;008\n");
    let config = json!({ "path": "a.txt", "delimiter": ";", "has_header": false, "null_values": ["NA", "-"],
        "types": { "column_2": "string" } });
    let table = world.run("read_file", config, &[]).await.unwrap();
    assert_eq!(
        world.rows(&table),
        [
            json!({ "column_1": 1, "column_2": null, "column_3": "007" }),
            json!({ "column_1": null, "column_2": "2,5", "column_3": "008" }),
        ]
    );
    world.file("b.csv", "a\tb\n1\t2\n");
    let table = world.run("read_file", json!({ "path": "b.csv", "delimiter": "\\t" }), &[]).await.unwrap();
    assert_eq!(world.rows(&table), [json!({ "a": 1, "b": 2 })]);
    world.file("c.csv", "a,b\n");
    let table = world.run("read_file", json!({ "path": "c.csv" }), &[]).await.unwrap();
    assert_eq!(table.rows(), 0);
}

/// Types can be given instead of inferred.
#[tokio::test(flavor = "multi_thread")]
async fn given_types_win() {
    let world = World::new();
    world.file("a.csv", "id,price,on\n1,1.10,2013-01-01\n2,2.20,2013-01-02\n");
    let types = json!({ "id": "string", "price": "decimal", "on": "string" });
    let table = world.run("read_file", json!({ "path": "a.csv", "types": types }), &[]).await.unwrap();
    assert_eq!(world.rows(&table)[0], json!({ "id": "1", "price": "1.100000000", "on": "2013-01-01" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_file_is_kept_unless_it_may_be_replaced() {
    let world = World::new();
    let table = world.table("a\n1\n").await;
    let config = |overwrite: bool| json!({ "path": "out.csv", "overwrite": overwrite });
    world.run("write_file", config(false), &[("in", &table)]).await.unwrap();
    let failure = world.run("write_file", config(false), &[("in", &table)]).await.unwrap_err();
    assert_eq!(failure.code, "file_exists");
    world.run("write_file", config(true), &[("in", &table)]).await.unwrap();
    let names: Vec<_> = fs::read_dir(world.path("")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{names:?}");
}

/// [RUN-9] A canceled run leaves no half-written file.
#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_read_ends_at_once_and_leaves_nothing() {
    let world = World::of_flights();
    let config = json!({ "path": "flights.csv.gz", "null_values": ["NA"] });
    let cancel = world.cancel.clone();
    let canceling = async {
        while world.progress.view().version == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(world.execute("read_file", config, &[]), canceling);
    assert_eq!(result.unwrap_err().code, "canceled");
    for _ in 0..500 {
        if world.payload_files().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}", world.payload_files());
}
