// What has another name or type in another version of LAMMPS: the newest that the compiler finds is taken.
#ifndef ALNN_LAMMPS_API_H
#define ALNN_LAMMPS_API_H

#include <string>
#include <type_traits>
#include <utility>

#include "comm.h"
#include "fmt/format.h"
#include "lammps.h"
#include "neighbor.h"
#include "pair.h"
#include "utils.h"

#if __has_include("neigh_request.h")  // with a source tree; what is installed has it not, nor needs it
#include "neigh_request.h"
#endif

namespace LAMMPS_NS::NeighConst {

// Seen by a qualified name only where LAMMPS itself has none (before June 2022).
namespace missing {
constexpr int REQ_FULL = 0;
}
using namespace missing;

}  // namespace LAMMPS_NS::NeighConst

namespace alnn::api {

/// Among overloads, that of the highest rank which compiles is called.
template <int N>
struct Rank : Rank<N - 1> {};
template <>
struct Rank<0> {};

/// To screen and log file, once: in the version of 2021 every rank prints what it hands to LAMMPS' own
/// function.
inline void log_message(LAMMPS_NS::LAMMPS* lmp, const std::string& text) {
  if (lmp->comm->me == 0) LAMMPS_NS::utils::logmesg(lmp, text);
}

// ---- virtual functions of Pair: if there is one of that name, it must be the one that is overridden ----

template <class Base, class = void>
struct Finish : std::false_type {};
template <class Base>
struct Finish<Base, std::void_t<decltype(&Base::finish)>> : std::true_type {
  static_assert(std::is_same_v<decltype(&Base::finish), void (Base::*)()>,
                "alnn: expected void Pair::finish(), found another type in this LAMMPS");
};

template <class Base, class = void>
struct ExtractPeratom : std::false_type {};
template <class Base>
struct ExtractPeratom<Base, std::void_t<decltype(&Base::extract_peratom)>> : std::true_type {
  static_assert(std::is_same_v<decltype(&Base::extract_peratom), void* (Base::*)(const char*, int&)>,
                "alnn: expected void* Pair::extract_peratom(const char*, int&), found another type in this "
                "LAMMPS");
};

/// Whether LAMMPS tells pair styles the end of a run. Not in 2021 and June 2022.
constexpr bool has_finish = Finish<LAMMPS_NS::Pair>::value;
/// Whether `fix pair` is there. Not in 2021 and June 2022.
constexpr bool has_extract_peratom = ExtractPeratom<LAMMPS_NS::Pair>::value;

// ---- neighbour list with every pair twice; `instance` is the style's Pair::instance_me ----

template <class Neighbor>  // since 2022
auto request_full_list(Neighbor& neighbor, LAMMPS_NS::Pair* pair, int, Rank<1>)
    -> decltype(neighbor.add_request(pair, LAMMPS_NS::NeighConst::REQ_FULL), void()) {
  neighbor.add_request(pair, LAMMPS_NS::NeighConst::REQ_FULL);
}
template <class Neighbor>
void request_full_list(Neighbor& neighbor, LAMMPS_NS::Pair* pair, int instance, Rank<0>) {
  const int index = neighbor.request(pair, instance);  // may move the array
  auto* request = neighbor.requests[index];
  request->half = 0;
  request->full = 1;
}
inline void request_full_list(LAMMPS_NS::Neighbor& neighbor, LAMMPS_NS::Pair* pair, int instance) {
  request_full_list(neighbor, pair, instance, Rank<1>{});
}

// ---- from ghosts to their atoms, by the pair style's functions; at most `comm_reverse` numbers an atom ----

template <class Comm>  // since 2025
auto reverse_comm(Comm& comm, LAMMPS_NS::Pair* pair, int width, Rank<2>)
    -> decltype(comm.reverse_comm(pair, width)) {
  return comm.reverse_comm(pair, width);
}
template <class Comm>  // since 2022; the width of the buffers is Pair::comm_reverse
auto reverse_comm(Comm& comm, LAMMPS_NS::Pair* pair, int, Rank<1>) -> decltype(comm.reverse_comm(pair)) {
  return comm.reverse_comm(pair);
}
template <class Comm>
void reverse_comm(Comm& comm, LAMMPS_NS::Pair* pair, int, Rank<0>) {
  comm.reverse_comm_pair(pair);
}
template <class Comm>
void reverse_comm(Comm& comm, LAMMPS_NS::Pair* pair, int width) {
  reverse_comm(comm, pair, width, Rank<2>{});
}

// ---- the limit of time ----

template <class Timer>  // since 2023
auto has_timeout(const Timer& timer, Rank<1>) -> decltype(timer.has_timeout()) {
  return timer.has_timeout();
}
template <class Timer>
bool has_timeout(const Timer&, Rank<0>) {
  return true;  // to be asked at every step: a timer without a limit says no
}
template <class Timer>
bool has_timeout(const Timer& timer) {
  return has_timeout(timer, Rank<1>{});
}

// ---- variables of style internal ----

template <class Variable>  // since 2025
auto create_internal(Variable& variables, const char* name, double value, Rank<1>)
    -> decltype(variables.internal_create(const_cast<char*>(name), value), void()) {
  variables.internal_create(const_cast<char*>(name), value);
}
template <class Variable>
void create_internal(Variable& variables, const char* name, double value, Rank<0>) {
  variables.set(fmt::format("{} internal 0.0", name));
  variables.internal_set(variables.find(name), value);
}
template <class Variable>
void create_internal(Variable& variables, const char* name, double value) {
  create_internal(variables, name, value, Rank<1>{});
}

// ---- computes and fixes ----

template <class Modify>  // since 2022
auto compute_of_id(Modify& modify, const std::string& id, Rank<1>) -> decltype(modify.get_compute_by_id(id)) {
  return modify.get_compute_by_id(id);
}
template <class Modify>
auto compute_of_id(Modify& modify, const std::string& id, Rank<0>)
    -> std::decay_t<decltype(modify.compute[0])> {
  const int index = modify.find_compute(id);
  return index < 0 ? nullptr : modify.compute[index];
}
/// Null if there is none.
template <class Modify>
auto* compute_of_id(Modify& modify, const std::string& id) {
  return compute_of_id(modify, id, Rank<1>{});
}

template <class Modify>  // since 2022
auto n_post_force(const Modify& modify, Rank<1>) -> std::decay_t<decltype(modify.n_post_force_any)> {
  return modify.n_post_force_any;
}
template <class Modify>
int n_post_force(const Modify& modify, Rank<0>) {
  return modify.n_post_force;
}
/// How many fixes act after the forces.
template <class Modify>
int n_post_force(const Modify& modify) {
  return n_post_force(modify, Rank<1>{});
}

// ---- atoms ----

template <class Atom>  // since 2022
auto style_of(Atom& atom, Rank<1>) -> decltype(std::string(atom.get_style())) {
  return atom.get_style();
}
template <class Atom>
std::string style_of(Atom& atom, Rank<0>) {
  return atom.atom_style;
}
/// The atom style's name.
template <class Atom>
std::string style_of(Atom& atom) {
  return style_of(atom, Rank<1>{});
}

}  // namespace alnn::api

#endif
