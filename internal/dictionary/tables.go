package dictionary

import (
	"errors"
	"fmt"
	"hash/fnv"

	"uzram/compress"
)

// tablePages is how many pages the entropy tables are made from; more change nothing.
const tablePages = 2048

// leastContent is what is worth a dictionary, bytes.
const leastContent = 64

var errNoRoom = errors.New("no room is left for content")

// WithTables puts content in zstd's format for trained dictionaries, with entropy tables for what remains of the pages
// when the content is taken out of them. The result has size bytes at most; content is cut at the front until it fits.
func WithTables(content []byte, pages [][]byte, size int) ([]byte, error) {
	pages = evenly(pages, tablePages)
	for {
		dict, err := compress.ZstdDictionary(dictID(content), content, pages)
		if err != nil {
			return nil, fmt.Errorf("entropy tables: %w", err)
		}
		over := len(dict) - size
		if over <= 0 {
			return dict, nil
		}
		if len(content)-over < leastContent {
			return nil, fmt.Errorf("entropy tables need %d of %d bytes: %w", len(dict)-len(content), size, errNoRoom)
		}
		content = content[over:]
	}
}

// dictID is in the range that the format leaves to everybody.
func dictID(content []byte) uint32 {
	h := fnv.New32a()
	h.Write(content)
	const from, to = 1 << 15, 1 << 31
	return from + h.Sum32()%(to-from)
}
