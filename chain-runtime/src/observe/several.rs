//! Several observers of one chain, told one after the other, from the first to the last.

use super::{Observer, Observes, Stretch, Told, Way};
use crate::describe::{ChainInfo, Ending, NodeInfo};

macro_rules! compose {
    ($($name:ident $index:tt),+) => {
        /// Told one after the other, from the first to the last.
        impl<$($name: Observer),+> Observer for ($($name,)+) {
            #[inline(always)]
            fn begin(chain: &'static ChainInfo) -> Self { ($($name::begin(chain),)+) }
            #[inline(always)]
            fn enter(&mut self, node: &'static NodeInfo) { $(self.$index.enter(node);)+ }
            #[inline(always)]
            fn entered(&mut self, node: &'static NodeInfo) { $(self.$index.entered(node);)+ }
            #[inline(always)]
            fn broke(&mut self, node: &'static NodeInfo) { $(self.$index.broke(node);)+ }
            #[inline(always)]
            fn leave(&mut self, node: &'static NodeInfo) { $(self.$index.leave(node);)+ }
            #[inline(always)]
            fn left(&mut self, node: &'static NodeInfo) { $(self.$index.left(node);)+ }
            #[inline(always)]
            fn suspend(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.suspend(node, way);)+ }
            #[inline(always)]
            fn resume(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.resume(node, way);)+ }
            #[inline(always)]
            fn cancelled(&mut self, node: &'static NodeInfo) { $(self.$index.cancelled(node);)+ }
            #[inline(always)]
            fn panicked(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.panicked(node, way);)+ }
            #[inline(always)]
            fn skipped(&mut self, node: &'static NodeInfo) { $(self.$index.skipped(node);)+ }
            #[inline(always)]
            fn late(&mut self, node: &'static NodeInfo) { $(self.$index.late(node);)+ }
            #[inline(always)]
            fn opened(&mut self, node: &'static NodeInfo) { $(self.$index.opened(node);)+ }
            #[inline(always)]
            fn detached(&mut self, node: &'static NodeInfo) { $(self.$index.detached(node);)+ }
            #[inline(always)]
            fn shed(&mut self, index: usize) { $(self.$index.shed(index);)+ }
            #[inline(always)]
            fn block(&mut self, block: usize) { $(self.$index.block(block);)+ }
            #[inline(always)]
            fn stretch(&mut self, next: Stretch) { $(self.$index.stretch(next);)+ }
            #[inline(always)]
            fn end(self, ending: Option<&'static Ending>) { $(self.$index.end(ending);)+ }
        }
    };
}
compose!(A 0);
compose!(A 0, B 1);
compose!(A 0, B 1, C 2);
compose!(A 0, B 1, C 2, D 3);
compose!(A 0, B 1, C 2, D 3, E 4);
compose!(A 0, B 1, C 2, D 3, E 4, F 5);

/// Told one after the other, from the first to the last.
impl<A: Observes, B: Observes> Observes for (A, B) {
    type Run = (A::Run, B::Run);
    const HEARS: bool = A::HEARS || B::HEARS;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Self::Run {
        (self.0.begin(chain), self.1.begin(chain))
    }
    #[inline(always)]
    fn tell(&self, run: &Self::Run, told: Told) {
        self.0.tell(&run.0, told);
        self.1.tell(&run.1, told);
    }
    #[inline(always)]
    fn end(&self, run: &mut Self::Run, ending: Option<&'static Ending>) {
        self.0.end(&mut run.0, ending);
        self.1.end(&mut run.1, ending);
    }
}
