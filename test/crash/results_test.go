package crash

import (
	"sync"

	"uzram/internal/failpoint"
)

// results are those of the run: what the tests that find nothing wrong have done.
var results resultTable

type resultTable struct {
	mu     sync.Mutex
	deaths [256]int // by point
	rows   []takeOverRow
	loads  []loadRow
}

type takeOverRow struct {
	stored string
	all    times
}

// loadRow is a load with deaths at random.
type loadRow struct {
	name   string
	deaths int
	what   string
}

func (r *resultTable) held(p failpoint.Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaths[p]++
}

func (r *resultTable) takeOver(stored string, all times) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, takeOverRow{stored, all})
}

func (r *resultTable) load(name string, deaths int, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loads = append(r.loads, loadRow{name, deaths, what})
}
