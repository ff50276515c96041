//! Turns the wire types into validated values, and back.
