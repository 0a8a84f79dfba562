// How sure a potential is of the sites of a batch: grade, and the members' own gradients.
#include "grade.hpp"
#include "site_batch.hpp"

namespace alnn {

double SiteBatch::grade(int site) const {
  return alnn::grade(plan_->potential.elements[species_].grade, &hidden_[site], capacity());
}

// The kernel is shown a committee of one.
void SiteBatch::member_gradients(int member) {
  ElementView one = plan_->elements[species_].view();
  one.members += member;
  one.n_members = 1;
  AlignedVector energies(capacity());
  BatchView batch{X_.data(), dX_.data(), energies.data(), scratch_.data()};
  plan_->kernel.network(one, batch, true);
  clear_weights();
  for (int i = 0; i < n_sites_; ++i) set_weights(one, i);
  all_gradients();
}

}  // namespace alnn
