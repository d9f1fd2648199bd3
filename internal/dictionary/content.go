package dictionary

import "container/heap"

// segmentLength is the largest number of bytes taken from a page at a time. Half and twice as much gave less on the
// corpus, though not by much.
const segmentLength = 64

// mostDonors is from how many of the pages segments are taken: what many have in common is in these, too. It keeps the time
// bounded where all pages are alike.
const mostDonors = 2048

// leastWorth is that of a segment that saves as many bytes in all other pages together as it takes up. Each byte is in
// pieceLength pieces and so counts as often.
const leastWorth = pieceLength * segmentLength

// donor is a page that segments are taken from.
type donor struct {
	page []byte
	live []uint16 // where the pieces are that are worth something; they only ever become fewer
}

// segment is a part of a donor's page.
type segment struct {
	donor      int
	start, end int
	worth      uint64
}

// best returns the part of a page that is worth most, from one piece that is worth something to another; worth 0 if none
// is.
func (w *worth) best(d *donor, number int) segment {
	const reach = segmentLength - pieceLength // from the first piece to the last
	best := segment{donor: number}
	var values [lastPiece + 1]uint32
	live, first, sum := d.live[:0], 0, uint64(0)
	for _, at := range d.live {
		v := w.at(d.page[at:])
		if v == 0 {
			continue
		}
		values[len(live)] = v
		live = append(live, at)
		sum += uint64(v)
		for at-live[first] > reach {
			sum -= uint64(values[first])
			first++
		}
		if sum > best.worth {
			best.start, best.end, best.worth = int(live[first]), int(at)+pieceLength, sum
		}
	}
	d.live = live
	return best
}

// queue is a heap of the best segment of each page, the most valuable first; of equal ones that of the earlier.
type queue []segment

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].worth != q[j].worth {
		return q[i].worth > q[j].worth
	}
	return q[i].donor < q[j].donor
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(segment)) }

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// donors chooses evenly among the pages.
func (w *worth) donors(pages [][]byte) []donor {
	pages = evenly(pages, mostDonors)
	all := make([]donor, len(pages))
	var fresh weights
	for i, p := range pages {
		w.weigh(&fresh, p)
		var live []uint16
		for at, n := range fresh {
			if n > 0 && w.at(p[at:]) > 0 { // of what is not fresh the page has no need
				live = append(live, uint16(at))
			}
		}
		all[i] = donor{p, live}
	}
	return all
}

// Content returns size bytes of what the pages have in common, less if they have less in common. The most valuable stands
// at the end, where it is nearest to the page and outlives a window that does not reach over all of it. A page has 4096
// bytes.
func Content(pages [][]byte, size int) []byte {
	w := newWorth()
	for _, p := range pages {
		w.count(p)
	}
	from := w.donors(pages)
	var q queue
	for i := range from {
		if s := w.best(&from[i], i); s.worth >= leastWorth {
			q = append(q, s)
		}
	}
	heap.Init(&q)
	content := make([]byte, size)
	room := size // at the front
	for room > 0 && len(q) > 0 {
		// What was taken meanwhile may have made the first one worth less, never more.
		s := w.best(&from[q[0].donor], q[0].donor)
		if s.worth < leastWorth {
			heap.Pop(&q)
			continue
		}
		q[0] = s
		heap.Fix(&q, 0)
		if q[0] != s {
			continue
		}
		page := from[s.donor].page
		text := page[s.start:s.end]
		w.take(page[s.start:min(pageSize, s.end+8-pieceLength)]) // a piece is looked up by 8 bytes
		text = text[max(0, len(text)-room):]
		room -= len(text)
		copy(content[room:], text)
	}
	return content[room:]
}
