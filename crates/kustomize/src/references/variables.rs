//! stub
use crate::{error::Result,resources::Resources,kustomization::Var};
#[derive(Debug, Default)] pub struct Variables;
impl Variables { pub fn add(&mut self, _: &[Var], _: &mut Resources) -> Result<()> { Ok(()) } pub fn merge(&mut self, _: Self) -> Result<()> { Ok(()) } pub fn resolve(&self, _: &crate::config::Config, _: &mut Resources, _: &mut Vec<String>) -> Result<()> { Ok(()) } }
