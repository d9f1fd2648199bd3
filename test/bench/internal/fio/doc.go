// Package fio runs one fio job and reads its answer.
package fio
