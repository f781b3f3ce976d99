// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Loops with break and continue, early returns, unchecked blocks, scopes, deep expressions.
contract Flow {
    function loops(uint n) public pure returns (uint a, uint b, uint c, uint d) {
        for (uint i = 0; i < n; i++) { if (i % 3 == 0) continue; if (i > 7) break; a += i; }
        uint j = 0;
        while (true) { j++; if (j % 2 == 0) continue; if (j > n) break; b += j; }
        do { c++; if (c == 2) continue; if (c == 5) break; } while (c < n);
        for (;;) { if (++d >= n) return (a, b, c, d); }
    }
    function nested(uint n) public pure returns (uint count) {
        for (uint i = 0; i < n; ++i)
            for (uint j = 0; j < n; ++j) {
                if (j > i) break;
                if ((i + j) % 2 == 1) continue;
                count++;
            }
    }
    function early(uint v) public pure returns (string memory) {
        if (v == 0) return "zero"; else if (v == 1) { return "one"; } else { if (v > 10) return "many"; }
        return "few";
    }
    function countdown(uint8 v) public pure returns (uint steps) { while (v-- > 0) steps++; }
    function countdownUnchecked(uint8 v) public pure returns (uint steps) { unchecked { while (v-- > 0) steps++; return steps + v; } }
    function scopes(uint x) public pure returns (uint) {
        uint y = x;
        { uint z = y * 2; y = z; }
        { uint z = y * 3; y += z; }
        if (x > 1) { uint z = 100; y += z; }
        return y;
    }
    function conditionWithEffects(uint n) public pure returns (uint total, uint i) {
        for (i = 0; (total += i) < n && i++ < 100;) {}
    }
    function manyVariables(uint a) public pure returns (uint) {
        uint b = a + 1; uint c = b + 1; uint d = c + 1; uint e = d + 1; uint f = e + 1; uint g = f + 1; uint h = g + 1;
        uint i = h + 1; uint j = i + 1; uint k = j + 1; uint l = k + 1; uint m = l + 1; uint n = m + 1; uint o = n + 1;
        uint p = o + 1; uint q = p + 1; uint r = q + 1; uint s = r + 1; uint t = s + 1; uint u = t + 1; uint v = u + 1;
        return a * v + b * u + c * t + d * s + e * r + f * q + g * p + h * o + i * n + j * m + k * l;
    }
}
// ----
// loops(10) -> 19, 25, 5, 10
// loops(1) -> 0, 1, 1, 1
// nested(4) -> 6
// early(0) -> 'zero'
// early(1) -> 'one'
// early(5) -> 'few'
// early(11) -> 'many'
// countdown(3) -> ! panic 0x11
// countdownUnchecked(3) -> 258
// scopes(1) -> 8
// scopes(2) -> 116
// conditionWithEffects(10) -> 10, 4
// manyVariables(1) -> 1012
