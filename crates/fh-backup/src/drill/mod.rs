//! Restore drills: a scratch database, on a throw-away server or on one for the purpose, and what is looked at once a
//! set has been restored into it.

pub mod amcheck;
pub mod assertion;
pub mod cluster;
pub mod home;
pub mod inspect;
pub mod roles;
pub mod scratch;
