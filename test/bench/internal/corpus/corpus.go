package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"uzram/test/bench/internal/directio"
)

const (
	// Size is the length of the corpus in bytes.
	Size = 64 << 20
	// sum is the corpus's sha256, which its generator's own test pins as well.
	sum = "316e66deb7de54b1a90add85fff369b279dd47d2f3b2884ddd201faa7b057dcc"
	// generator is the module that builds it, seen from the root of the tree.
	generator = "test/corpus/mkcorpus"
)

// Load returns the corpus in page-aligned memory. It is read from file, which is
// built first if it is not there or not the corpus. The working directory must
// be the root of the tree.
func Load(ctx context.Context, file string) ([]byte, error) {
	mem, err := directio.Alloc(Size)
	if err != nil {
		return nil, err
	}
	if read(file, mem) == nil {
		return mem, nil
	}
	if err := build(ctx, file); err != nil {
		return nil, fmt.Errorf("build the corpus: %w", err)
	}
	return mem, read(file, mem)
}

// read fills mem from file and checks the sum.
func read(file string, mem []byte) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("%s: %d bytes of sha256 %x, want %d of %s", file, len(data), got, Size, sum)
	}
	copy(mem, data)
	return nil
}

func build(ctx context.Context, file string) error {
	out, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "-C", generator, ".", "-o", out)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
