package zramconf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// suffixes are the powers of ten that letters behind a number stand for.
var suffixes = map[rune]int{'T': 12, 'G': 9, 'M': 6, 'K': 3, 'k': 3, 'm': -3, 'u': -6, 'µ': -6, 'μ': -6, 'n': -9, 'p': -12}

// plainNumbers writes the numbers of an expression without the suffixes, which the library's parser does not know.
func plainNumbers(text string) (string, error) {
	var b strings.Builder
	var before rune
	for text != "" {
		r := rune(text[0])
		if !isDigit(r) && !(r == '.' && len(text) > 1 && isDigit(rune(text[1]))) || isWord(before) {
			r, text = cutRune(text)
			b.WriteRune(r)
			before = r
			continue
		}
		value, rest, err := cutNumber(text)
		if err != nil {
			return "", err
		}
		b.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
		text, before = rest, '0'
	}
	return b.String(), nil
}

// cutNumber reads the number that text begins with: digits, a point, an exponent, a suffix.
func cutNumber(text string) (value float64, rest string, err error) {
	n := digits(text)
	if n < len(text) && text[n] == '.' {
		n += 1 + digits(text[n+1:])
	}
	if n < len(text) && text[n]|0x20 == 'e' {
		sign := 0
		if n+1 < len(text) && (text[n+1] == '+' || text[n+1] == '-') {
			sign = 1
		}
		if d := digits(text[n+1+sign:]); d > 0 {
			n += 1 + sign + d
		}
	}
	if value, err = strconv.ParseFloat(text[:n], 64); err != nil {
		return 0, "", fmt.Errorf("%.40q is no number", text[:n])
	}
	rest = text[n:]
	if rest == "" {
		return value, "", nil
	}
	suffix, after := cutRune(rest)
	if exp, ok := suffixes[suffix]; ok {
		value, rest = value*math.Pow10(exp), after
	}
	if next, _ := cutRune(rest); rest != "" && isWord(next) {
		return 0, "", fmt.Errorf("%.40q is no number; a suffix is one of T G M K m u n p, powers of ten", text[:len(text)-len(rest)]+string(next))
	}
	return value, rest, nil
}

func cutRune(s string) (r rune, rest string) {
	for i, c := range s {
		if i > 0 {
			return r, s[i:]
		}
		r = c
	}
	return r, ""
}

func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || isDigit(r) }
