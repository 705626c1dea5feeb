"""Why each numeric check comes out as it does: derivations of a few lines that a student can follow.

ASCII, so that they read the same everywhere: x' is the transpose of x, d y/d x a derivative, |x| the Euclidean norm,
sum_i a sum over i, inv(A) the inverse.
"""

from __future__ import annotations

LESSONS: dict[str, tuple[str, ...]] = {
    "product-precision": (
        "A float32 number keeps 23 bits after the point, TF32 keeps 10, bfloat16 7.",
        "Rounding to t bits moves a number by at most 2^-(t+1) of it; the two factors of each product are moved so.",
        "In a sum of 4096 products with random signs the errors grow like the sum itself. What stays, relative to it,",
        "is about 3e-4 for TF32, 2e-3 for bfloat16, and below 1e-5 for float32, whatever the order of summation.",
    ),
    "broadcast-shapes": (
        "Write both shapes with their last sizes below each other and look at each column.",
        "Equal sizes stay; 1 or nothing is stretched to the other; anything else is an error.",
        "(3,1,5) and (2,5): 5=5, 1 is stretched to 2, nothing is stretched to 3: the result is (3,2,5).",
    ),
    "broadcast-outer-sum": (
        "A column (n,1) plus a row (1,m) stretches both: z[i,j] = x[i] + y[j], of shape (n,m).",
        "n + m numbers are read and n*m are written: for large n and m the time is that of writing.",
    ),
    "broadcast-views": (
        "A stretched dimension gets the stride 0: going to the next element moves by no byte.",
        "So x.expand(n,m) reads x[i] again m times and copies nothing; its memory is that of x.",
    ),
    "broadcast-errors": (
        "(3,4) + (3): the last sizes are 4 and 3, neither is 1: refused. (3,4) + (3,1) would fit.",
        "(3,1) += (1,2): the sum has the shape (3,2), which does not fit into the memory of (3,1): refused.",
    ),
    "derivative-scalar": (
        "y = x^3 - 4x + sin x, term by term: (x^n)' = n x^(n-1), (cx)' = c, (sin x)' = cos x.",
        "dy/dx = 3x^2 - 4 + cos x.",
    ),
    "gradient": (
        "A scalar by a vector: dy/dx is the row of all dy/dx[i].",
        "y = 2 x'x = 2 sum_i x[i]^2: dy/dx[k] = 4 x[k].",
        "y = x'Ax = sum_ij x[i] A[i,j] x[j]: x[k] stands in row k and in column k, so",
        "dy/dx[k] = sum_j A[k,j] x[j] + sum_i x[i] A[i,k] = ((A + A')x)[k].",
    ),
    "vector-by-scalar": (
        "A vector by a scalar: each component is a function of t and has its own derivative.",
        "y = (cos t, sin t, t^2, exp(t/2)): dy/dt = (-sin t, cos t, 2t, exp(t/2)/2).",
    ),
    "jacobian": (
        "A vector by a vector: the matrix J[i,j] = dy[i]/dx[j], a row for each y, a column for each x.",
        "y = Ax: y[i] = sum_j A[i,j] x[j], so J[i,j] = A[i,j].",
        "s = softmax(x), s[i] = e^x[i]/S with S = sum_k e^x[k]: dS/dx[j] = e^x[j], so",
        "ds[i]/dx[j] = (i=j) s[i] - s[i] s[j], that is J = diag(s) - s s'.",
    ),
    "matrix-by-scalar": (
        "A matrix by a scalar: every element by t, the shape stays.",
        "Y = tA + t^2 B: dY/dt = A + 2t B.",
    ),
    "matrix-by-vector": (
        "A matrix by a vector: three indices, dY[i,j]/dx[k], a tensor of shape (n,m,n).",
        "Y[i,j] = x[i] y[j] has x[k] in it only where i = k, and there its factor is y[j].",
    ),
    "chain-rule": (
        "z = g(u), u = f(x): dz[i]/dx[j] = sum_k dz[i]/du[k] du[k]/dx[j]: the product of the two Jacobians.",
        "u = Ax, v = tanh u element by element, z = Bv: dz/dx = B diag(1 - tanh^2 u) A, since tanh' = 1 - tanh^2.",
        "For a loss L = (x'w - y)^2: dL/dw = 2 (x'w - y) x.",
        "Backward multiplies from the left, where the scalar loss has one row: that is why it is cheap.",
    ),
    "least-squares-gradient": (
        "L = |Xw - y|^2 = r'r with r = Xw - y. dL/dr = 2r', dr/dw = X.",
        "By the chain rule dL/dw = 2 r'X, or as a column 2 X'(Xw - y).",
    ),
    "gradcheck": (
        "f(x+h) = f(x) + h f'(x) + h^2/2 f''(x) + h^3/6 f'''(x) + ..., and with -h the even terms are the same.",
        "Half the difference by h leaves f'(x) + h^2/6 f'''(x): exact to h^2, without any formula for f'.",
    ),
    "normal-equations": (
        "At the minimum of |Xw - y|^2 its gradient 2 X'(Xw - y) is 0, so X'X w = X'y and w = inv(X'X) X'y.",
        "The residual y - Xw is then perpendicular to every column of X.",
        "X'X squares the condition: from about 3000 on, float32 has no right digit left.",
        "lstsq works on X itself, by orthogonal steps, and does not square it.",
    ),
    "gradient-descent": (
        "w <- w - X'(Xw - y)/L. Take w* = inv(X'X) X'y away from both sides: e <- (I - X'X/L) e for e = w - w*.",
        "With L the largest eigenvalue of X'X every direction shrinks by 1 - (its eigenvalue)/L,",
        "the slowest by 1 - 1/condition(X)^2 a step: so descent reaches the same w, sooner or later.",
    ),
    "singular-least-squares": (
        "Two equal columns: adding t to the one weight and -t to the other changes nothing in Xw.",
        "So X'X v = 0 for v = (1, ..., -1), it has no inverse, and there is a line of solutions.",
        "pinv(X) y is the one of least |w|: it has no part along v, and shares the weight between the two.",
        "A solver may refuse, or divide by a rounding error and give numbers as large as it likes.",
    ),
    "ridge": (
        "Minimise |Xw - y|^2 + lambda |w|^2: its gradient is 0 where (X'X + lambda I) w = X'y.",
        "Every eigenvalue of X'X is at least 0 and grows by lambda: the inverse exists also where X'X has none.",
    ),
    "cross-entropy": (
        "The label y is certain: of H = -sum_k q[k] log p[k] only the term of the right class stays, -log p[y].",
        "p[y] = 0.2: -log 0.2 = log 5 = 1.609. With p[y] = 1 it would be 0.",
    ),
    "binary-cross-entropy": (
        "Two classes with p = sigma(z) = 1/(1+e^-z): L = -(y log p + (1-y) log(1-p)).",
        "dp/dz = p(1-p), dL/dp = -y/p + (1-y)/(1-p), and their product is p - y.",
    ),
    "softmax-gradient": (
        "L = -log p[y] with p = softmax(z): L = -z[y] + log sum_k e^z[k].",
        "dL/dz[j] = -(j=y) + e^z[j]/sum_k e^z[k] = p[j] - (j=y): prediction minus label.",
        "For z = XW + b the chain rule gives dL/dW = X'(p - Y) and dL/db = the column sums of p - Y.",
    ),
    "stable-softmax": (
        "e^z overflows float32 above z = 88.7, and infinity by infinity is no number.",
        "e^(z[i]-c)/sum_k e^(z[k]-c) does not depend on c. With c = max z the largest exponent is 0: no overflow.",
        "log p = z - c - log sum_k e^(z[k]-c) also avoids the log of a 0.",
    ),
    "step-eager": (
        "One step: z = XW + b, p = softmax(z), L = -mean log p[y], then W <- W - a dL/dW and b <- b - a dL/db.",
        "With n rows: dL/dW = X'(p - Y)/n, dL/db = mean(p - Y) over the rows. Autograd has to find the same.",
        "X, W, b and all results are compared with the same step in float64.",
    ),
    "step-closed-form": (
        "The same step with dL/dW = X'(p - Y)/n written out: two matrix products, X W and X'(p - Y),",
        "and some passes over p in place. No graph is kept and nothing is allocated.",
    ),
    "step-cuda-graph": (
        "The step's kernels are recorded once and replayed as one: the same numbers, for one request by the host.",
    ),
    "exact-integers": (
        "Integers up to 2^24 are exact in float32, those up to 2^11 in TF32. Factors of at most 8 have products of at",
        "most 64, and 128 of them sums of at most 8192: every order gives the same bits, and one flipped bit shows.",
    ),
    "repeatability": (
        "Floating-point sums depend on their order: (a+b)+c is not a+(b+c).",
        "One product of the same inputs on the same device takes the same order, so the same bits have to come out.",
    ),
    "workload-outputs": (
        "The output is filled with NaN, which spreads through everything: one element that is not written would show.",
        "Then rows of it are compared with the same work done another way; gradients with autograd's.",
    ),
}
"""Check → its derivation, a line an item."""
