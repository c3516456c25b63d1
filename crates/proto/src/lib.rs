//! Generated wire code of queqiao.v1.
