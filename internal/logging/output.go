package logging

import (
	"io"
	"log/slog"
	"log/syslog"
)

// Output is where lines go. Only the writer goroutine calls it; it may block.
type Output interface {
	// Emit writes one line, which ends in a newline. An error means that the line is lost.
	Emit(level slog.Level, line []byte) error
}

// Writer is an Output to a file or terminal.
type Writer struct{ io.Writer }

// Emit implements Output.
func (w Writer) Emit(_ slog.Level, line []byte) error {
	_, err := w.Write(line)
	return err
}

// Syslog is an Output to the system's log daemon. It connects at the first line and again after a failure, so that a log
// daemon that comes up late gets the lines from then on.
type Syslog struct {
	Tag  string
	conn *syslog.Writer
}

// Emit implements Output.
func (s *Syslog) Emit(level slog.Level, line []byte) error {
	if s.conn == nil {
		conn, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, s.Tag)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	err := s.severity(level)(string(line))
	if err != nil {
		s.conn.Close()
		s.conn = nil
	}
	return err
}

func (s *Syslog) severity(level slog.Level) func(string) error {
	switch {
	case level >= slog.LevelError:
		return s.conn.Err
	case level >= slog.LevelWarn:
		return s.conn.Warning
	case level >= slog.LevelInfo:
		return s.conn.Info
	}
	return s.conn.Debug
}
