/// A request that states a fact about itself.
///
/// A layer says in its bounds which facts it needs (`R: Param<Key>`), and the host's request type promises them. So no
/// guard-rail knows a concrete request, and adding one to a stack that lacks a fact does not compile.
///
/// ```
/// use palisade_core::{ModelId, Param};
///
/// struct ChatCall { model: ModelId }
///
/// impl Param<ModelId> for ChatCall {
///     fn param(&self) -> ModelId { self.model.clone() }
/// }
/// ```
pub trait Param<T> {
    /// The fact.
    fn param(&self) -> T;
}

impl<T, R: Param<T> + ?Sized> Param<T> for &R {
    fn param(&self) -> T {
        (**self).param()
    }
}
