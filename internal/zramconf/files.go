package zramconf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OwnFile is looked for before the places of zram-generator; where it is there, it is the whole configuration.
const OwnFile = "/etc/uzram/uzram.conf"

// generatorFile is zram-generator's file below each of its places; fragments lie in the directory of that name with ".d".
const generatorFile = "systemd/zram-generator.conf"

// places are where zram-generator looks, the one that counts most last.
var places = []string{"usr/lib", "usr/local/lib", "etc", "run"}

// Find returns the files of the configuration below root, in the order in which they are read: what comes later counts.
// There may be none.
func Find(root string) ([]string, error) {
	own := filepath.Join(root, OwnFile)
	if _, err := os.Stat(own); err == nil {
		return []string{own}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, place := range slices.Backward(places) { // only one of these counts
		name := filepath.Join(root, place, generatorFile)
		if _, err := os.Stat(name); err == nil {
			files = []string{name}
			break
		}
	}
	fragments, err := findFragments(root)
	return append(files, fragments...), err
}

// findFragments returns the fragments in the order of their names. Of those with the same name the one in the last place
// counts, and a link to /dev/null there takes the others away.
func findFragments(root string) ([]string, error) {
	byName := map[string]string{}
	for _, place := range places {
		dir := filepath.Join(root, place, generatorFile+".d")
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if name := e.Name(); strings.HasSuffix(name, ".conf") && !strings.HasPrefix(name, ".") {
				byName[name] = filepath.Join(dir, name)
			}
		}
	}
	var files []string
	for _, path := range byName {
		st, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if st.Mode().IsRegular() {
			files = append(files, path)
		}
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return files, nil
}
