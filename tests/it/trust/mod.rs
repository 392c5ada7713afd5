//! What a data protection officer and a penetration tester would try.

mod canary;
mod fitness;
mod framing;
mod open_door;
mod origins;
