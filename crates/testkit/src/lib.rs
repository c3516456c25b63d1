//! Fixtures and seeded generators for tests.
