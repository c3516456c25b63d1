//! The durable truth: records and their change log, on redb.
