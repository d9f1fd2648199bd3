package dictionary

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

// ErrNotSetUp says that a device has no disksize.
var ErrNotSetUp = errors.New("it is not set up, so there is nothing to learn from")

// deviceSource is a live device.
type deviceSource struct {
	*file // the image
	dir   string
}

// OpenDevice returns the device in a control directory as a source: its pages that are in memory and not same-filled.
// Reading a page is an access like any other: it takes the idle mark off and makes the page young. There is no other way
// to its contents.
func OpenDevice(dir string) (Source, error) {
	image, err := openFile(filepath.Join(dir, "image"))
	if err != nil {
		return nil, err
	}
	return &deviceSource{image, dir}, nil
}

func (d *deviceSource) Walk(yield func(Place)) error {
	list, err := openFile(filepath.Join(d.dir, "debug", "block_state"))
	if err != nil {
		return err
	}
	defer list.Close()
	lines := bufio.NewReaderSize(list, 128<<10)
	for {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, unix.EINVAL):
			return fmt.Errorf("%s: %w", d.dir, ErrNotSetUp)
		case err != nil:
			return err
		}
		s, err := zramabi.ParseBlockState(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		if !s.Same && !s.WrittenBack {
			yield(Place{Index: s.Index, Used: true, Idle: s.Idle})
		}
	}
}
