package logging

import (
	"fmt"
	"log/slog"
	"strings"
)

// levels are the names that ParseLevel takes.
var levels = []struct {
	name  string
	level slog.Level
}{
	{"debug", slog.LevelDebug},
	{"info", slog.LevelInfo},
	{"warn", slog.LevelWarn},
	{"error", slog.LevelError},
}

// LevelNames lists them, for messages and help.
func LevelNames() string {
	names := make([]string, len(levels))
	for i, l := range levels {
		names[i] = l.name
	}
	return strings.Join(names, ", ")
}

// ParseLevel returns the level of that name.
func ParseLevel(name string) (slog.Level, error) {
	for _, l := range levels {
		if l.name == name {
			return l.level, nil
		}
	}
	return 0, fmt.Errorf("no such log level: %q; accepted: %s", name, LevelNames())
}
