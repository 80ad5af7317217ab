// LEMON: Dezso, Juettner, Kovacs, "LEMON - an Open Source C++ Graph Template Library", Electronic Notes in
// Theoretical Computer Science 264, 2011; the algorithm: Kiraly and Kovacs, "Efficient implementations of
// minimum-cost flow algorithms", Acta Universitatis Sapientiae, Informatica 4, 2012.
#include "transport/network_simplex.h"

#include <lemon/network_simplex.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace torsor {

namespace {

// Every row to every column. Nodes and arcs are numbers, so that nothing of the graph is stored: row i is
// node i, column j is node rows + j, the arc from i to j is i * columns + j. The parts of LEMON's digraph
// concept that its network simplex uses.
class AllToAll {
 public:
  struct Item {
    int id = -1;
    Item() = default;
    Item(lemon::Invalid) {}
    explicit Item(int number) : id(number) {}
    friend bool operator==(const Item& x, const Item& y) { return x.id == y.id; }
    friend bool operator!=(const Item& x, const Item& y) { return x.id != y.id; }
    friend bool operator<(const Item& x, const Item& y) { return x.id < y.id; }
  };
  struct Node : Item {
    using Item::Item;
  };
  struct Arc : Item {
    using Item::Item;
  };

  // Numbers first, first + step, ... below end, then no more.
  template <class Kind>
  class Walk : public Kind {
   public:
    Walk() = default;
    Walk(lemon::Invalid) {}
    Walk(int first, int end, int step) : Kind(first < end ? first : -1), end_(end), step_(step) {}
    Walk& operator++() {
      this->id = end_ - this->id > step_ ? this->id + step_ : -1;
      return *this;
    }

   private:
    int end_ = 0, step_ = 1;
  };

  struct NodeIt : Walk<Node> {
    NodeIt(lemon::Invalid) {}
    explicit NodeIt(const AllToAll& graph) : Walk(0, graph.nodeNum(), 1) {}
  };
  struct ArcIt : Walk<Arc> {
    ArcIt(lemon::Invalid) {}
    explicit ArcIt(const AllToAll& graph) : Walk(0, graph.arcNum(), 1) {}
  };
  struct InArcIt : Walk<Arc> {
    InArcIt(lemon::Invalid) {}
    InArcIt(const AllToAll& graph, const Node& node)
        : Walk(node.id < graph.rows_ ? 0 : node.id - graph.rows_, node.id < graph.rows_ ? 0 : graph.arcNum(),
               graph.columns_) {}
  };
  struct OutArcIt : Walk<Arc> {
    OutArcIt(lemon::Invalid) {}
    OutArcIt(const AllToAll& graph, const Node& node)
        : Walk(node.id < graph.rows_ ? node.id * graph.columns_ : 0,
               node.id < graph.rows_ ? (node.id + 1) * graph.columns_ : 0, 1) {}
  };

  template <class T>
  struct Map {
    using Value = T;
    explicit Map(int size, const T& value = T()) : values(static_cast<std::size_t>(size), value) {}
    typename std::vector<T>::reference operator[](const Item& item) {
      return values[static_cast<std::size_t>(item.id)];
    }
    typename std::vector<T>::const_reference operator[](const Item& item) const {
      return values[static_cast<std::size_t>(item.id)];
    }
    std::vector<T> values;
  };
  template <class T>
  struct NodeMap : Map<T> {
    explicit NodeMap(const AllToAll& graph, const T& value = T()) : Map<T>(graph.nodeNum(), value) {}
  };
  template <class T>
  struct ArcMap : Map<T> {
    explicit ArcMap(const AllToAll& graph, const T& value = T()) : Map<T>(graph.arcNum(), value) {}
  };
  using NodeNumTag = lemon::True;
  using ArcNumTag = lemon::True;
  using EdgeNumTag = lemon::True;  // the name that LEMON asks a digraph's number of arcs by

  AllToAll(int rows, int columns) : rows_(rows), columns_(columns) {}
  int nodeNum() const { return rows_ + columns_; }
  int arcNum() const { return rows_ * columns_; }
  Node source(const Arc& arc) const { return Node(arc.id / columns_); }
  Node target(const Arc& arc) const { return Node(rows_ + arc.id % columns_); }

 private:
  int rows_, columns_;
};

struct CostMap {
  const WholeCosts& costs;
  std::int64_t operator[](const AllToAll::Arc& arc) const {
    return costs.whole(arc.id / costs.columns, arc.id % costs.columns);
  }
};

struct SupplyMap {
  const WholeMasses& masses;
  std::int64_t operator[](const AllToAll::Node& node) const {
    const auto rows = static_cast<int>(masses.rows.size());
    return node.id < rows ? masses.rows[static_cast<std::size_t>(node.id)]
                          : -masses.columns[static_cast<std::size_t>(node.id - rows)];
  }
};

}  // namespace

std::int64_t WholeCosts::whole(std::int64_t row, std::int64_t column) const {
  if (clip <= 0) return 0;
  return std::llround(std::min(std::max(reduced(row, column), 0.0), clip) / clip * most);
}

// The solver's artificial arcs cost 2^62, and potentials are sums of costs along a path through all points.
double largest_whole_cost(std::int64_t rows, std::int64_t columns) {
  return std::floor(std::ldexp(1.0, 60) / static_cast<double>(rows + columns + 1));
}

// Of each arc six numbers of 8 bytes or two of 4: ends, bounds, capacity, cost, flow, its number; and a
// state.
double network_simplex_bytes(std::int64_t rows, std::int64_t columns) {
  constexpr double kArc = 5 * 8 + 3 * 4 + 1, kNode = 100;
  const auto n = static_cast<double>(rows), m = static_cast<double>(columns);
  return kArc * n * m + kNode * (n + m);
}

bool fits_network_simplex(std::int64_t rows, std::int64_t columns) {
  constexpr double kMostArcs = 2147483647.0;  // of an int
  const auto n = static_cast<double>(rows), m = static_cast<double>(columns);
  return n * m + 3 * (n + m) < kMostArcs;
}

WholeSolution solve_whole(const WholeCosts& costs, const WholeMasses& masses) {
  const AllToAll graph(static_cast<int>(costs.rows), static_cast<int>(costs.columns));
  using Solver = lemon::NetworkSimplex<AllToAll, std::int64_t, std::int64_t>;
  Solver solver(graph, true);  // arcs in a mixed order, which is quicker
  solver.costMap(CostMap{costs}).supplyMap(SupplyMap{masses});
  if (solver.run() != Solver::OPTIMAL) throw std::logic_error("solve_whole: the sums of the masses differ");
  WholeSolution out;
  for (AllToAll::ArcIt arc(graph); arc != lemon::INVALID; ++arc)
    if (const std::int64_t mass = solver.flow(arc); mass != 0)
      out.flows.push_back({arc.id / costs.columns, arc.id % costs.columns, mass});
  // Differences of potentials matter alone, and they are small beside the potentials.
  const std::int64_t base = solver.potential(AllToAll::Node(0));
  const auto potential = [&](std::int64_t node) {
    return solver.potential(AllToAll::Node(static_cast<int>(node))) - base;
  };
  for (std::int64_t i = 0; i < costs.rows; ++i) out.from.push_back(-potential(i));
  for (std::int64_t j = 0; j < costs.columns; ++j) out.to.push_back(potential(costs.rows + j));
  return out;
}

}  // namespace torsor
