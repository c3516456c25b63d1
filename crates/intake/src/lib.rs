//! Files in and out: spreadsheets, csv, jsonl to records and back.
