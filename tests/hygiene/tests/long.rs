//! A chain of 200 nodes compiles at the default limits of recursion and of type length.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use links::{chain, node};

/// Counts the nodes that a run has passed.
pub struct Passed(u32);

macro_rules! nodes {
    ($($name:ident)*) => { $(
        #[node]
        fn $name(passed: &mut Passed) {
            passed.0 += 1;
        }
    )* };
}

macro_rules! async_nodes {
    ($($name:ident)*) => { $(
        #[node]
        async fn $name(passed: &mut Passed) {
            passed.0 += 1;
        }
    )* };
}

nodes! {
    n001 n002 n003 n004 n005 n006 n008 n009 n010 n011 n012 n013 n015 n016 n017 n018 n019 n020 n022 n023
    n024 n025 n026 n027 n029 n030 n031 n032 n033 n034 n036 n037 n038 n039 n040 n041 n043 n044 n045 n046
    n047 n048 n050 n051 n052 n053 n054 n055 n057 n058 n059 n060 n061 n062 n064 n065 n066 n067 n068 n069
    n071 n072 n073 n074 n075 n076 n078 n079 n080 n081 n082 n083 n085 n086 n087 n088 n089 n090 n092 n093
    n094 n095 n096 n097 n099 n100 n101 n102 n103 n104 n106 n107 n108 n109 n110 n111 n113 n114 n115 n116
    n117 n118 n120 n121 n122 n123 n124 n125 n127 n128 n129 n130 n131 n132 n134 n135 n136 n137 n138 n139
    n141 n142 n143 n144 n145 n146 n148 n149 n150 n151 n152 n153 n155 n156 n157 n158 n159 n160 n162 n163
    n164 n165 n166 n167 n169 n170 n171 n172 n173 n174 n176 n177 n178 n179 n180 n181 n183 n184 n185 n186
    n187 n188 n190 n191 n192 n193 n194 n195 n197 n198
}

async_nodes! {
    n000 n007 n014 n021 n028 n035 n042 n049 n056 n063 n070 n077 n084 n091 n098 n105 n112 n119 n126 n133
    n140 n147 n154 n161 n168 n175 n182 n189 n196
}

#[node]
fn last(passed: &Passed) -> u32 {
    passed.0 + 1
}

chain! {
    pub struct Long;

    async fn<'r>(passed: &'r mut Passed) -> u32 {
        n000 => n001 => n002 => n003 => n004 => n005 => n006 => n007 => n008 => n009 => n010 => n011 => n012
        => n013 => n014 => n015 => n016 => n017 => n018 => n019 => n020 => n021 => n022 => n023 => n024 =>
        n025 => n026 => n027 => n028 => n029 => n030 => n031 => n032 => n033 => n034 => n035 => n036 => n037
        => n038 => n039 => n040 => n041 => n042 => n043 => n044 => n045 => n046 => n047 => n048 => n049 =>
        n050 => n051 => n052 => n053 => n054 => n055 => n056 => n057 => n058 => n059 => n060 => n061 => n062
        => n063 => n064 => n065 => n066 => n067 => n068 => n069 => n070 => n071 => n072 => n073 => n074 =>
        n075 => n076 => n077 => n078 => n079 => n080 => n081 => n082 => n083 => n084 => n085 => n086 => n087
        => n088 => n089 => n090 => n091 => n092 => n093 => n094 => n095 => n096 => n097 => n098 => n099 =>
        n100 => n101 => n102 => n103 => n104 => n105 => n106 => n107 => n108 => n109 => n110 => n111 => n112
        => n113 => n114 => n115 => n116 => n117 => n118 => n119 => n120 => n121 => n122 => n123 => n124 =>
        n125 => n126 => n127 => n128 => n129 => n130 => n131 => n132 => n133 => n134 => n135 => n136 => n137
        => n138 => n139 => n140 => n141 => n142 => n143 => n144 => n145 => n146 => n147 => n148 => n149 =>
        n150 => n151 => n152 => n153 => n154 => n155 => n156 => n157 => n158 => n159 => n160 => n161 => n162
        => n163 => n164 => n165 => n166 => n167 => n168 => n169 => n170 => n171 => n172 => n173 => n174 =>
        n175 => n176 => n177 => n178 => n179 => n180 => n181 => n182 => n183 => n184 => n185 => n186 => n187
        => n188 => n189 => n190 => n191 => n192 => n193 => n194 => n195 => n196 => n197 => n198 => last
    }
}

#[test]
fn a_chain_of_200_nodes_compiles_and_runs() {
    let mut passed = Passed(0);
    let mut run = pin!(Long.run(&mut passed));
    let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(200));
    assert_eq!(Long::NODES.len(), 200);
}
