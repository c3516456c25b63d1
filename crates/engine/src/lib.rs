//! The only composer: plain requests in, ranked matches out.
