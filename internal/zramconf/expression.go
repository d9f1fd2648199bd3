package zramconf

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// maxExpression bounds the length of an expression, and with it the depth of its tree.
const maxExpression = 4096

// evaluate computes an expression. All values are floating-point numbers; a comparison is 1 or 0.
func evaluate(text string, variables map[string]float64) (float64, error) {
	if len(text) > maxExpression {
		return 0, fmt.Errorf("it is longer than %d bytes", maxExpression)
	}
	plain, err := plainNumbers(text)
	if err != nil {
		return 0, err
	}
	tree, err := parser.Parse(plain)
	if err != nil || tree.Node == nil {
		return 0, errors.New("it is no expression; an example is min(ram / 2, 4096)")
	}
	return (evaluation{variables}).value(tree.Node)
}

type evaluation struct{ variables map[string]float64 }

func (e evaluation) value(node ast.Node) (float64, error) {
	switch n := node.(type) {
	case *ast.IntegerNode:
		return float64(n.Value), nil
	case *ast.FloatNode:
		return n.Value, nil
	case *ast.IdentifierNode:
		return e.variable(n.Value)
	case *ast.UnaryNode:
		return e.unary(n)
	case *ast.BinaryNode:
		return e.binary(n)
	case *ast.BuiltinNode:
		return e.call(n.Name, n.Arguments)
	case *ast.ArrayNode: // square brackets are brackets
		if len(n.Nodes) == 1 {
			return e.value(n.Nodes[0])
		}
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return e.call(callee.Value, n.Arguments)
		}
	}
	return 0, errors.New("it has more than numbers, variables, operators and functions")
}

func (e evaluation) variable(name string) (float64, error) {
	if v, ok := e.variables[name]; ok {
		return v, nil
	}
	if v, ok := constants[name]; ok {
		return v, nil
	}
	return 0, fmt.Errorf("there is no variable %q; ram is the memory in MiB", name)
}

func (e evaluation) unary(n *ast.UnaryNode) (float64, error) {
	x, err := e.value(n.Node)
	switch n.Operator {
	case "-":
		return -x, err
	case "+":
		return x, err
	case "!", "not":
		return truth(x == 0), err
	}
	return 0, noOperator(n.Operator)
}

func (e evaluation) binary(n *ast.BinaryNode) (float64, error) {
	do, ok := operators[n.Operator]
	if !ok {
		return 0, noOperator(n.Operator)
	}
	x, err := e.value(n.Left)
	if err != nil {
		return 0, err
	}
	y, err := e.value(n.Right)
	return do(x, y), err
}

func noOperator(name string) error { return fmt.Errorf("there is no operator %q", name) }

func (e evaluation) call(name string, arguments []ast.Node) (float64, error) {
	if v, ok := constants[name]; ok && len(arguments) == 0 {
		return v, nil
	}
	f, ok := functions[name]
	if !ok {
		return 0, fmt.Errorf("there is no function %q", name)
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return 0, fmt.Errorf("%s does not take %d values", name, len(arguments))
	}
	values := make([]float64, len(arguments))
	for i, a := range arguments {
		var err error
		if values[i], err = e.value(a); err != nil {
			return 0, err
		}
	}
	return f.do(values), nil
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

var constants = map[string]float64{"e": math.E, "pi": math.Pi, "π": math.Pi}

var operators = map[string]func(x, y float64) float64{
	"+":  func(x, y float64) float64 { return x + y },
	"-":  func(x, y float64) float64 { return x - y },
	"*":  func(x, y float64) float64 { return x * y },
	"/":  func(x, y float64) float64 { return x / y },
	"%":  math.Mod,
	"^":  math.Pow,
	"**": math.Pow,
	"<":  func(x, y float64) float64 { return truth(x < y) },
	"<=": func(x, y float64) float64 { return truth(x <= y) },
	">":  func(x, y float64) float64 { return truth(x > y) },
	">=": func(x, y float64) float64 { return truth(x >= y) },
	"==": func(x, y float64) float64 { return truth(x == y) },
	"!=": func(x, y float64) float64 { return truth(x != y) },
	"&&": func(x, y float64) float64 { return truth(x != 0 && y != 0) },
	"||": func(x, y float64) float64 { return truth(x != 0 || y != 0) },
}

// function is one that takes from least to most values.
type function struct {
	least, most int
	do          func([]float64) float64
}

// of makes a function of one value.
func of(f func(float64) float64) function {
	return function{1, 1, func(v []float64) float64 { return f(v[0]) }}
}

var functions = map[string]function{
	"min": {1, maxExpression, slices.Min[[]float64]},
	"max": {1, maxExpression, slices.Max[[]float64]},
	"log": {1, 2, logarithm}, "round": {1, 2, round},
	"int": of(math.Trunc), "ceil": of(math.Ceil), "floor": of(math.Floor), "abs": of(math.Abs), "sign": of(sign),
	"sin": of(math.Sin), "cos": of(math.Cos), "tan": of(math.Tan),
	"asin": of(math.Asin), "acos": of(math.Acos), "atan": of(math.Atan),
	"sinh": of(math.Sinh), "cosh": of(math.Cosh), "tanh": of(math.Tanh),
	"asinh": of(math.Asinh), "acosh": of(math.Acosh), "atanh": of(math.Atanh),
}

// logarithm is to the base 10, or to the first of two values.
func logarithm(v []float64) float64 {
	if len(v) == 1 {
		return math.Log10(v[0])
	}
	return math.Log(v[1]) / math.Log(v[0])
}

// round is to a whole number, or to a multiple of the first of two values.
func round(v []float64) float64 {
	if len(v) == 1 {
		return math.Round(v[0])
	}
	return math.Round(v[1]/v[0]) * v[0]
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// mebibytes is the value of an expression that stands for a size in MiB, in bytes.
func mebibytes(text string, variables map[string]float64) (uint64, error) {
	mib, err := evaluate(text, variables)
	bytes := mib * (1 << 20)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(bytes):
		return 0, errors.New("its value is not a number")
	case bytes < 0:
		return 0, fmt.Errorf("its value is %g, which is below 0", mib)
	case bytes >= math.MaxInt64:
		return 0, fmt.Errorf("its value is %g MiB, which is too large", mib)
	}
	return uint64(bytes), nil
}
