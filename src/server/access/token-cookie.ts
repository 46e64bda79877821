/** The cookie that browsers bring their token in. */
export const TOKEN_COOKIE = 'sward_token';
