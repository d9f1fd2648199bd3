package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// binary is the program under test, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "uzram-cli")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "uzram")
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// uzram runs the binary.
func uzram(args ...string) (stdout, stderr string, code int) {
	var out, errOut bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // the exit code says it
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// TestBadInput: every verb and flag refuses what it does not accept with one sentence and the documented code.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "reset"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none")
	for _, c := range []struct {
		args string // words; $D is a directory, $F a file, $N a name that is not there, '' an empty word
		code int
		text string
	}{
		{"", exitUsage, "no verb is given; accepted: mount, umount"},
		{"frobnicate", exitUsage, `unknown verb "frobnicate"; accepted: mount`},
		{"--frob", exitUsage, "unknown flag -frob; see uzram --help"},
		{"help frobnicate", exitUsage, "frobnicate"},
		{"mount", exitUsage, "mount needs a directory"},
		{"mount ''", exitUsage, "empty"},
		{"mount --frob $D", exitUsage, "unknown flag -frob; see uzram mount --help"},
		{"mount $D --loop", exitUsage, "flags stand before the directory"},
		{"mount $D $D", exitUsage, "takes one directory, not 2"},
		{"mount $N", exitUsage, "there is no directory"},
		{"mount $N/x", exitUsage, "there is no directory"},
		{"mount $F", exitUsage, "is not a directory"},
		{"mount $F/x", exitUsage, "there is no directory"},
		{"mount --algorithm", exitUsage, "flag needs an argument"},
		{"mount --algorithm '' $D", exitUsage, "--algorithm needs the name"},
		{"mount --disksize 1.5G $D", exitUsage, `--disksize: "1.5G" is not a size; accepted: digits`},
		{"mount --disksize '' $D", exitUsage, "not a size"},
		{"mount --disksize -1 $D", exitUsage, "not a size"},
		{"mount --disksize 16E $D", exitUsage, "below 16E"},
		{"mount --disksize 0 $D", exitUsage, "above 0"},
		{"mount --mem-limit 1X $D", exitUsage, `--mem-limit: "1X" is not a size`},
		{"mount --set mem_limit $D", exitUsage, "accepted is ATTR=VALUE"},
		{"mount --set =1 $D", exitUsage, "accepted is ATTR=VALUE"},
		{"mount --set mem_limit= $D", exitUsage, "accepted is ATTR=VALUE"},
		{"mount --set ../mem_limit=1 $D", exitUsage, "accepted is ATTR=VALUE"},
		{"mount --loop=perhaps $D", exitUsage, "invalid boolean value"},
		{"mount --log-level loud $D", exitUsage, "accepted: debug, info, warn, error"},
		{"mount --log $N/log $D", exitUsage, "no such file or directory"},
		{"mount --log '' $D", exitUsage, "--log"},
		{"mount --backing-dev '' $D", exitUsage, "--backing-dev needs the path"},
		{"mount --backing-dev $N:100 $D", exitUsage, "from 4096 bytes"},
		{"mount --recomp-algorithm zstd $D", exitUsage, `--recomp-algorithm "zstd": accepted is PRIO:NAME[,level=N][,dict=PATH]`},
		{"mount --recomp-algorithm 1:zstd,level=99 $D", exitUsage, "zstd has no level 99"},
		{"mount --recomp-algorithm 1:zstd --recomp-algorithm 1:lz4 $D", exitUsage, "priority 1 is given twice"},
		{"idle", exitUsage, "idle needs a directory"},
		{"idle --age soon $D", exitUsage, `--age: "soon" is not an age`},
		{"idle $D --dry-run", exitUsage, "flags stand before"},
		{"idle $D", exitNotMounted, "is not a uzram mount"},
		{"writeback", exitUsage, "writeback needs a directory"},
		{"writeback --type all $D", exitUsage, `--type: "all" is none; accepted: idle, huge`},
		{"writeback --type idle --pages 1 $D", exitUsage, "not both"},
		{"writeback --pages 2-1 $D", exitUsage, `--pages: "2-1" is no range`},
		{"writeback --budget 1K $D", exitUsage, "at least 4096 bytes"},
		{"writeback --batch 0 $D", exitUsage, `--batch: "0" is not a number of blocks`},
		{"writeback $D", exitNotMounted, "is not a uzram mount"},
		{"recompress", exitUsage, "recompress needs a directory"},
		{"recompress --type incompressible $D", exitUsage, "accepted: idle, huge, huge_idle"},
		{"recompress --threshold 4K $D", exitUsage, "at most 3624 bytes"},
		{"recompress --max-pages 0 $D", exitUsage, "--max-pages"},
		{"recompress --priority 0 $D", exitUsage, "--priority"},
		{"recompress --algorithm '' $D", exitUsage, "--algorithm needs"},
		{"recompress $D", exitNotMounted, "is not a uzram mount"},
		{"post", exitUsage, "for uzram itself"},
		{"umount", exitUsage, "umount needs a directory"},
		{"umount $D $D", exitUsage, "takes one directory"},
		{"umount --lazy $D", exitUsage, "unknown flag -lazy"},
		{"umount $D", exitNotMounted, "is not a uzram mount"},
		{"umount $N", exitNotMounted, "is not a uzram mount: there is no such directory"},
		{"umount /proc", exitNotMounted, "is not a uzram mount"},
		{"status", exitUsage, "status needs a directory"},
		{"status $D $D", exitUsage, "takes one directory"},
		{"status $D --json", exitUsage, "flags stand before"},
		{"status $D", exitNotMounted, "is not a uzram mount"},
		{"status --json $F", exitNotMounted, "is not a uzram mount"},
		{"list --output-all --output name", exitUsage, "--output and --output-all exclude each other"},
		{"list --raw --json", exitUsage, "--json and --raw exclude each other"},
		{"list --output name,size", exitUsage, `there is no column "size"; accepted: NAME, DISKSIZE`},
		{"list -o ''", exitUsage, `there is no column ""`},
		{"list $D", exitNotMounted, "is not a uzram mount"},
		{"list $N", exitNotMounted, "is not a uzram mount"},
		{"list /dev/zram4000000", exitNotMounted, "there is no such device"},
		{"add", exitUsage, "add needs a directory"},
		{"add -s 1G", exitUsage, "add needs a directory"},
		{"add $D $D", exitUsage, "add takes one directory"},
		{"add $D -s", exitUsage, "--size needs a value"},
		{"add $D -s=1.5G", exitUsage, `--size: "1.5G" is not a size`},
		{"add $D --size 0", exitUsage, "above 0"},
		{"add $D --mode 1", exitUsage, "unknown flag -mode; see uzram add --help"},
		{"add $D", exitNotMounted, "is not a uzram mount"},
		{"remove $D", exitUsage, "a directory and a number"},
		{"remove $D zram0", exitUsage, `"zram0" is not the number of a device`},
		{"remove $D -1", exitUsage, "flags stand before"},
		{"remove $D 1", exitNotMounted, "is not a uzram mount"},
		{"set $D", exitUsage, "at least one ATTR=VALUE"},
		{"set $D mem_limit", exitUsage, "accepted is ATTR=VALUE"},
		{"set $D ../reset=1", exitUsage, "accepted is ATTR=VALUE"},
		{"set $D reset=1", exitNotMounted, "is not a uzram mount"},
		{"set $D/block/zram0 reset=1", exitNotMounted, "is not a uzram mount"},
		{"set /sys/block/zram4000000 reset=1", exitNotMounted, "no device has that number"},
		{"up $F", exitUsage, "up takes no arguments"},
		{"up -c $N", exitUsage, "no such file or directory"},
		{"up -c $F --dir ''", exitUsage, "--dir needs"},
		{"down $D", exitUsage, "down takes no arguments"},
		{"down --dir $D", exitNotMounted, "is not a uzram mount"},
		{"down --dir ''", exitUsage, "--dir needs"},
		{"reset", exitUsage, "reset needs a directory"},
		{"reset --force $D", exitUsage, "unknown flag -force"},
		{"reset $D", exitNotMounted, "is not a uzram mount"},
		{"reset $D $N", exitNotMounted, "is not a uzram mount; "},
		{"compact", exitUsage, "compact needs a directory"},
		{"compact $D", exitNotMounted, "is not a uzram mount"},
		{"version now", exitUsage, "version takes no arguments"},
		{"version --short", exitUsage, "unknown flag -short"},
		{"apply", exitUsage, "for uzram itself"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var args []string
			for _, w := range strings.Fields(c.args) {
				args = append(args, strings.NewReplacer("$D", dir, "$F", file, "$N", none, "''", "").Replace(w))
			}
			stdout, stderr, code := uzram(args...)
			if code != c.code || !strings.Contains(stderr, c.text) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr, c.code, c.text)
			}
			if stdout != "" || !strings.HasPrefix(stderr, "uzram: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stdout %q, stderr %q; want one sentence on stderr", stdout, stderr)
			}
		})
	}
	if text, err := os.ReadFile(filepath.Join(dir, "reset")); err != nil || string(text) != "mine" {
		t.Errorf("reset wrote into a directory that is none of uzram's: %q, %v", text, err)
	}
	if mounts, err := mountinfo.All(); err != nil {
		t.Error(err)
	} else {
		for _, m := range mounts {
			if strings.HasPrefix(m.Point, dir) {
				t.Errorf("something stays mounted on %s", m.Point)
			}
		}
	}
}

// TestHelp: every verb has help with an example, and the exit codes stand in that of the program.
func TestHelp(t *testing.T) {
	for _, cmd := range newApp(io.Discard, io.Discard).Commands {
		if cmd.Hidden {
			continue
		}
		out, errOut, code := uzram(cmd.Name, "--help")
		if code != exitOK || errOut != "" || !strings.Contains(out, "Example") || !strings.Contains(out, "  uzram "+cmd.Name) &&
			!strings.Contains(out, "$(uzram "+cmd.Name) {
			t.Errorf("%s --help: exit %d, %q\n%s", cmd.Name, code, errOut, out)
		}
	}
	out, _, _ := uzram("--help")
	for _, e := range exitCodes {
		if !strings.Contains(out, e.meaning) {
			t.Errorf("--help does not explain exit code %d:\n%s", e.code, out)
		}
	}
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("x"), exitFailed},
		{unix.EIO, exitFailed},
		{usagef("x"), exitUsage},
		{fmt.Errorf("a: %w", usagef("x")), exitUsage},
		{errors.Join(usagef("x"), unix.EBUSY), exitUsage},
		{cli.Exit("x", 3), exitUsage},
		{fmt.Errorf("a: %w", mountinfo.ErrNotMounted), exitNotMounted},
		{&mountinfo.BusyError{Dir: "/d"}, exitBusy},
		{withCode(exitFailed, unix.EBUSY), exitFailed},
		{&os.PathError{Op: "open", Path: "/dev/loop-control", Err: unix.EACCES}, exitMissing},
		{fmt.Errorf("mount: %w", fusermount.ErrMissing), exitMissing},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
	if err := withCode(exitBusy, nil); err != nil {
		t.Errorf("withCode of no error: %v", err)
	}
}
