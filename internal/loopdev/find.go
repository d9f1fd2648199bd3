package loopdev

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	sysBlock    = "/sys/block"
	backingAttr = "loop/backing_file"
)

// FindByBacking returns the names (/dev/loopN) of all loop devices attached to the file named path, which must be the
// absolute name under which it was opened. It touches neither the devices nor the file, so it works for an image whose
// file system no longer answers, and it needs no right.
func FindByBacking(path string) ([]string, error) {
	attrs, err := filepath.Glob(filepath.Join(sysBlock, "loop*", backingAttr))
	if err != nil {
		return nil, fmt.Errorf("look for loop devices: %w", err)
	}
	var found []string
	for _, attr := range attrs {
		text, err := os.ReadFile(attr)
		if err != nil {
			continue // detached since the listing
		}
		if strings.TrimSuffix(string(text), "\n") == path {
			name := filepath.Base(filepath.Dir(filepath.Dir(attr)))
			found = append(found, "/dev/"+name)
		}
	}
	return found, nil
}

// Backed is a loop device with the file that it is attached to.
type Backed struct{ Loop, File string }

// FindInside returns all loop devices that are attached to a file below a directory, as FindByBacking does.
func FindInside(dir string) ([]Backed, error) {
	attrs, err := filepath.Glob(filepath.Join(sysBlock, "loop*", backingAttr))
	if err != nil {
		return nil, fmt.Errorf("look for loop devices: %w", err)
	}
	var found []Backed
	for _, attr := range attrs {
		text, err := os.ReadFile(attr)
		if err != nil {
			continue
		}
		if file := strings.TrimSuffix(string(text), "\n"); strings.HasPrefix(file, dir+"/") {
			found = append(found, Backed{"/dev/" + filepath.Base(filepath.Dir(filepath.Dir(attr))), file})
		}
	}
	return found, nil
}

// Attached returns the Device for the loop device named path that another process attached to image. Nothing is opened or
// checked before a method is called.
func Attached(path, image string) *Device { return &Device{path: path, image: image} }
