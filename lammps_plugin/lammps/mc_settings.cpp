#include "mc_settings.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "mc_words.h"

namespace alnn {

namespace {

int type_of(Words& words, int ntypes) {
  const std::string what = "a type from 1 to " + std::to_string(ntypes) + " after rmin";
  const std::int64_t type = words.whole(what, 1);
  if (type > ntypes) refuse(what, std::to_string(type));
  return static_cast<int>(type) - 1;
}

/// `rmin R` for every pair of types, or `rmin I J R` for one.
void read_rmin(Words& words, McSettings& s, int ntypes) {
  const std::string what = "a distance (A) of at least 0 after rmin";
  const bool of_pair = words.left() >= 3 && reads_as_number(words.peek(1));
  const int a = of_pair ? type_of(words, ntypes) : -1, b = of_pair ? type_of(words, ntypes) : -1;
  const double rmin = words.number(what);
  if (rmin < 0.0) refuse(what, std::to_string(rmin));
  if (of_pair)
    s.rmin[a * ntypes + b] = s.rmin[b * ntypes + a] = rmin;
  else
    std::fill(s.rmin.begin(), s.rmin.end(), rmin);
}

void read_dump(Words& words, McSettings& s) {
  if (s.ensemble == Ensemble::nested) {
    const std::string& word = words.take("strata after dump");
    if (word != "strata") refuse("'dump strata FILE' with mc nested", quoted("dump " + word));
  } else {
    s.dump_every = words.whole("a number of cycles of at least 1 after dump, as in 'dump 1000 FILE'", 1);
  }
  s.dump_file = words.take("a file name after dump");
}

void read_partition(Words& words, McSettings& s) {
  const double low = words.positive("the lowest temperature (K) after partition");
  const double high = words.positive("the highest temperature (K) after partition");
  const std::int64_t count = words.whole("a number of temperatures from 1 to 1000 after partition", 1);
  if (count > 1000) refuse("a number of temperatures from 1 to 1000 after partition", std::to_string(count));
  if (high < low) refuse("partition with the lowest temperature first", "the highest first");
  s.temperatures.clear();
  for (std::int64_t k = 0; k < count; ++k)
    s.temperatures.push_back(count > 1 ? low + (high - low) * k / (count - 1) : low);
}

void read_local(Words& words, McSettings& s) {
  s.local = words.yes("yes or no after local") ? LocalChoice::yes : LocalChoice::no;
}

void read_log(Words& words, McSettings& s) {
  s.log_every = words.whole("a number of cycles of at least 1 after log, as in 'log 10 FILE'", 1);
  s.log_file = words.take("a file name after log");
}

void read_cap(Words& words, McSettings& s) { s.cap = words.number("an energy (eV per atom) after cap"); }

void read_pressure(Words& words, McSettings& s) {
  s.pressure = words.number("a pressure (bar in units metal, atm in real)");
  s.volume_moves = true;
}

void read_dlnv(Words& words, McSettings& s) {
  const std::string what = "a change of ln V above 0 and at most 1 after dlnv";
  s.dlnv = words.positive(what);
  if (s.dlnv > 1.0) refuse(what, std::to_string(s.dlnv));
  s.dlnv_given = true;
}

void read_volume(Words& words, McSettings& s) {
  s.volume_low = words.positive("the smallest volume (A^3 per atom) after volume");
  s.volume_high = words.positive("the largest volume (A^3 per atom) after volume");
  if (s.volume_high <= s.volume_low) refuse("volume with the smallest volume first", "the largest first");
}

void read_swap(Words& words, McSettings& s) {
  const std::map<std::string, Swap> swaps{
      {"avbmc", Swap::avbmc}, {"ebavbmc", Swap::ebavbmc}, {"box", Swap::box}};
  const std::string what = "avbmc, ebavbmc or box after swap", &swap = words.take(what);
  if (swaps.count(swap) == 0) refuse(what, quoted(swap));
  s.gc.swap = swaps.at(swap);
}

void read_fraction(Words& words, McSettings& s) {
  const std::string what = "a fraction of swaps from 0 to 1 after fraction";
  s.gc.fraction = words.number(what);
  if (s.gc.fraction < 0.0 || s.gc.fraction > 1.0) refuse(what, std::to_string(s.gc.fraction));
}

void read_sizes(Words& words, McSettings& s) {
  s.gc.low = static_cast<int>(words.whole("the smallest size after sizes", 0));
  s.gc.high = static_cast<int>(
      words.whole("the largest size after sizes, at least 1 and the smallest", std::max(1, s.gc.low)));
  if (s.gc.high > 1000000) refuse("sizes of at most 1e6", std::to_string(s.gc.high));
}

/// `umbrella N U` for one size, or `umbrella FILE`.
void read_umbrella(Words& words, McSettings& s) {
  if (words.left() < 2 || !reads_as_number(words.peek(0)) || !reads_as_number(words.peek(1))) {
    s.gc.umbrella_file = words.take("a file, or a size and its potential (k_B T), after umbrella");
    return;
  }
  const auto size = static_cast<int>(words.whole("a size after umbrella", 0));
  s.gc.umbrella[size] = words.number("a potential (k_B T) after the size of umbrella");
}

using Reader = std::function<void(Words&, McSettings&)>;

std::map<std::string, Reader> keywords_of(Ensemble ensemble, int ntypes) {
  std::map<std::string, Reader> readers{
      {"seed",
       [](Words& w, McSettings& s) { s.seed = w.whole("a whole number of at least 1 after seed", 1); }},
      {"displace",
       [](Words& w, McSettings& s) { s.displace = w.positive("a distance (A) above 0 after displace"); }},
      {"cluster",
       [](Words& w, McSettings& s) { s.cluster_radius = w.positive("a radius (A) above 0 after cluster"); }},
      {"rmin", [ntypes](Words& w, McSettings& s) { read_rmin(w, s, ntypes); }},
      {"check",
       [](Words& w, McSettings& s) { s.check = w.whole("a number of cycles of at least 1 after check", 1); }},
      {"local", read_local},
      {"dump", read_dump},
      {"species", [ntypes](Words& w, McSettings& s) {
         s.species.clear();
         for (int t = 0; t < ntypes; ++t)
           s.species.push_back(
               w.take("a name for each of the " + std::to_string(ntypes) + " types after species"));
       }}};
  if (ensemble == Ensemble::npt || ensemble == Ensemble::nested) {
    readers["dlnv"] = read_dlnv;
    readers["volume"] = read_volume;
  }
  if (ensemble != Ensemble::nested) {
    readers["log"] = read_log;
    readers["equilibrate"] = [](Words& w, McSettings& s) {
      s.equilibrate = w.whole("a number of cycles of at least 0 after equilibrate", 0);
    };
  } else {
    readers["tune"] = [](Words& w, McSettings& s) { s.tune = w.yes("yes or no after tune"); };
    readers["partition"] = read_partition;
    readers["pressure"] = read_pressure;
    readers["cap"] = read_cap;
    readers["samples"] = [](Words& w, McSettings& s) {
      s.samples_file = w.take("a file name after samples");
    };
  }
  if (ensemble == Ensemble::gc) {
    readers["swap"] = read_swap;
    readers["fraction"] = read_fraction;
    readers["sizes"] = read_sizes;
    readers["umbrella"] = read_umbrella;
    readers["radius"] = [](Words& w, McSettings& s) {
      s.gc.radius = w.positive("a radius (A) above 0 after radius");
    };
    readers["bias"] = [](Words& w, McSettings& s) { s.gc.bias = w.number("a number after bias"); };
    readers["density"] = [](Words& w, McSettings& s) {
      s.gc.density = w.positive("a density of the vapour (1/A^3) above 0 after density");
    };
    readers["mu"] = [](Words& w, McSettings& s) {
      s.gc.mu = w.number("a chemical potential (LAMMPS' unit of energy) after mu");
    };
    readers["histogram"] = [](Words& w, McSettings& s) {
      s.gc.histogram_file = w.take("a file name after histogram");
    };
  }
  return readers;
}

/// Takes what follows from other keywords.
void complete_gc(McSettings& s) {
  if (s.gc.high == 0) refuse("the keyword sizes with the smallest and largest size", "none");
  if ((s.gc.density > 0.0) == std::isfinite(s.gc.mu))
    refuse("either the keyword density or the keyword mu", s.gc.density > 0.0 ? "both" : "none");
  if (s.gc.swap == Swap::box) return;
  if (s.cluster_radius == 0.0)
    refuse("the keyword cluster with a radius, since swaps near particles grow one cluster", "none");
  if (s.gc.low < 1)
    refuse("a smallest size of at least 1, since swaps need a particle as their target", "sizes from 0");
  if (s.gc.radius == 0.0) s.gc.radius = s.cluster_radius;
}

}  // namespace

McSettings parse_mc(const std::vector<std::string>& words, int ntypes) {
  Words rest(words);
  McSettings s;
  s.rmin.assign(static_cast<std::size_t>(ntypes) * ntypes, 0.0);
  const std::string known_ensembles = "nvt, npt, nested or gc after mc",
                    &ensemble = rest.take(known_ensembles);
  const std::map<std::string, Ensemble> ensembles{
      {"nvt", Ensemble::nvt}, {"npt", Ensemble::npt}, {"nested", Ensemble::nested}, {"gc", Ensemble::gc}};
  if (ensembles.count(ensemble) == 0) refuse(known_ensembles, quoted(ensemble));
  s.ensemble = ensembles.at(ensemble);
  s.cycles = rest.whole("a number of cycles of at least 0 after mc " + ensemble, 0);
  if (s.ensemble != Ensemble::nested)
    s.temperature = rest.positive("a temperature (K) above 0 after the number of cycles");
  if (s.ensemble == Ensemble::npt) read_pressure(rest, s);
  if (s.ensemble == Ensemble::nested)
    s.stage = rest.whole("the cycles of a stage, at least 1, after the number of cycles", 1);

  const std::map<std::string, Reader> readers = keywords_of(s.ensemble, ntypes);
  while (!rest.empty()) {
    const std::string& keyword = rest.take("a keyword");
    const auto reader = readers.find(keyword);
    if (reader == readers.end()) {
      std::string known;
      for (const auto& entry : readers) known += (known.empty() ? "" : ", ") + entry.first;
      refuse("one of the keywords of mc " + ensemble + " (" + known + ")", quoted(keyword));
    }
    reader->second(rest, s);
  }
  if (s.ensemble == Ensemble::gc) complete_gc(s);
  const bool limited = std::isfinite(s.volume_high);
  if (s.ensemble == Ensemble::nested && s.volume_moves && !limited)
    refuse(
        "the keyword volume with the smallest and largest volume (A^3 per atom) with pressure, since "
        "without an energy cap nothing else keeps the box from growing",
        "none");
  if (s.dlnv_given && !s.volume_moves) refuse("the keyword pressure with dlnv", "none");
  if (limited && !s.volume_moves) refuse("the keyword pressure with volume", "none");
  if (s.seed == 0) refuse("the keyword seed with a whole number of at least 1", "none");
  return s;
}

}  // namespace alnn
